/* check_room.c - how much memory a pool may have, and what is taken of it, in trees of fixtures. */
#include "cmd/room.h"

#include <string.h>

#include "check_main.h"

static const struct {
	const char *tree;
	pid_t pid;
	double share;
	uint64_t limit, taken; /* 0: unknown */
	const char *source;
} rooms[] = {
    {"unified", 4711, 0.9, 2147483648, 700000000, "/sys/fs/cgroup/web.slice/memory.max"},
    {"unified", 0, 0.9, 16384000ull * 1024, 8192000ull * 1024, "/proc/meminfo"},
    /* Of 40% the host has less than nothing left, and the group a little. */
    {"unified", 4711, 0.4, 16384000ull * 1024, 8192000ull * 1024, "/proc/meminfo"},
    {"version1", 0, 0.9, 536870912, 310000000, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes"},
    {"untold", 0, 0.9, 0, 0, ""},
    {"missing", 0, 0.9, 0, 0, ""},
};

START_TEST(finds_what_leaves_least)
{
	char root[512] = FIXTURES "/room/";
	struct room room = {.taken = 0};

	strcat(root, rooms[_i].tree);
	ck_assert(room_find(root, rooms[_i].pid, rooms[_i].share, &room) == (rooms[_i].limit > 0));
	ck_assert_uint_eq(room.limit.bytes, rooms[_i].limit);
	ck_assert_uint_eq(room.taken, rooms[_i].taken);
	ck_assert_str_eq(room.limit.source, rooms[_i].source);
}
END_TEST

START_TEST(finds_that_of_this_machine)
{
	struct room room;

	ck_assert(room_find("", 0, 1, &room));
	ck_assert_uint_gt(room.limit.bytes, 16 << 20);
	ck_assert_uint_gt(room.taken, 1 << 20);
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, finds_what_leaves_least, rooms);
	tcase_add_test(tests, finds_that_of_this_machine);
}
