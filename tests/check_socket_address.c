/* check_socket_address.c - addresses that the kernel tells, of real sockets that nobody connects
 * to.
 */
#include "os/socket_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_main.h"

static struct socket_address found_at(int fd)
{
	struct socket_address address;

	ck_assert(socket_address_find(fd, &address));
	return address;
}

static bool is_named(const struct socket_address *found, const char *format, unsigned port)
{
	struct socket_address written;
	char text[SOCKET_ADDRESS_PATH_SIZE + 16];

	snprintf(text, sizeof text, format, port);
	ck_assert(socket_address_read(text, &written));
	return socket_address_is(found, &written);
}

/* Bound to all addresses, but not listening. */
static struct socket_address bound_to_all(int is_ipv6_only)
{
	struct sockaddr_in6 all = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_ipv6_only, sizeof(int)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&all, sizeof all), 0);
	return found_at(fd);
}

START_TEST(dual_stack_listener_goes_by_both_kinds_of_address)
{
	struct socket_address both = bound_to_all(0), one = bound_to_all(1);

	ck_assert(is_named(&both, "127.0.0.1:%u", both.port));
	ck_assert(is_named(&both, "0.0.0.0:%u", both.port));
	ck_assert(is_named(&both, "[::1]:%u", both.port));
	ck_assert(is_named(&both, "[::]:%u", both.port));
	ck_assert(is_named(&both, "%u", both.port));
	ck_assert(!is_named(&both, "127.0.0.1:%u", both.port == 1 ? 2u : both.port - 1u));
	ck_assert(!is_named(&one, "127.0.0.1:%u", one.port));
	ck_assert(!is_named(&one, "0.0.0.0:%u", one.port));
	ck_assert(is_named(&one, "[::1]:%u", one.port));
}
END_TEST

/* By its own path, through a link, and where it was bound by a relative one. */
START_TEST(path_of_a_socket_may_be_any_that_leads_there)
{
	char directory[] = "/tmp/check_socket_address.XXXXXX", text[64];
	struct sockaddr_un relative = {.sun_family = AF_UNIX, .sun_path = "one"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct socket_address found;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&relative, sizeof relative), 0);
	ck_assert_int_eq(symlink(".", "link"), 0);
	found = found_at(fd);
	snprintf(text, sizeof text, "%s/one", directory);
	ck_assert(is_named(&found, text, 0));
	snprintf(text, sizeof text, "%s/link/one", directory);
	ck_assert(is_named(&found, text, 0));
	snprintf(text, sizeof text, "%s/other", directory);
	ck_assert(!is_named(&found, text, 0));
	ck_assert(!is_named(&found, "@one", 0));
	ck_assert(unlink("one") == 0 && unlink("link") == 0 && rmdir(directory) == 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, dual_stack_listener_goes_by_both_kinds_of_address);
	tcase_add_test(tests, path_of_a_socket_may_be_any_that_leads_there);
}
