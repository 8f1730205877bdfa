/* listener.c - asks the kernel about listening sockets. */
#include "os/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/line.h"
#include "os/number.h"

bool listener_blocks(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

static int ask_number(int fd, int option)
{
	int number = -1;
	socklen_t size = sizeof number;

	return getsockopt(fd, SOL_SOCKET, option, &number, &size) == 0 ? number : -1;
}

/* It has no peer any more if both have said that they send no more. */
bool listener_may_have_given(const struct socket_address *listener, int fd)
{
	struct socket_address local;

	return socket_address_find(fd, &local) && socket_address_may_come_from(&local, listener) &&
	       ask_number(fd, SO_ACCEPTCONN) == 0 && ask_number(fd, SO_TYPE) != SOCK_DGRAM;
}

uint64_t listener_address_key(int fd)
{
	struct socket_address address;
	uint64_t sum;

	if (!socket_address_find(fd, &address) || socket_address_words(&address) == 0)
		return 0;
	sum = address.port;
	for (unsigned i = 0; i < socket_address_words(&address); i++)
		sum = sum * UINT64_C(0x9e3779b97f4a7c15) + address.words[i];
	return sum != 0 ? sum : 1;
}

/* --------------------------------------------------------- reuseport peers */

/* Writes "0100007F:1F90" as /proc/net/tcp does: each word is read in the machine's byte order. */
static void write_address(const struct socket_address *address, struct line *line)
{
	line_start(line);
	for (unsigned i = 0; i < socket_address_words(address); i++)
		line_hex(line, address->words[i], 8);
	line_text(line, ":");
	line_hex(line, address->port, 4);
}

/* Returns the n-th word of a line, counted from 0. */
static const char *find_word(const char *line, unsigned n)
{
	line += strspn(line, " ");
	for (; n > 0; n--) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return line;
}

static bool has_word(const char *line, unsigned n, const char *word)
{
	const char *found = find_word(line, n);
	size_t length = strlen(word);

	return strncmp(found, word, length) == 0 && (found[length] == ' ' || found[length] == '\0');
}

/*   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
 *    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31 ...
 */
enum { LOCAL = 1, STATE = 3, INODE = 9 };

struct search {
	const char *address;
	uint64_t inode; /* of the caller's own socket, which is not its own peer */
	bool found;
};

/* The kernel lists the listening sockets before all others, so the search ends after them. */
static bool look_at_line(const char *line, void *argument)
{
	struct search *search = argument;
	uint64_t inode;

	if (has_word(line, LOCAL, "local_address"))
		return true;
	search->found = has_word(line, LOCAL, search->address) &&
	                number_read(find_word(line, INODE), &inode) != NULL && inode != search->inode &&
	                has_word(line, STATE, "0A");
	return !search->found && has_word(line, STATE, "0A");
}

static bool has_other_listener(int fd)
{
	struct socket_address address;
	struct line text;
	struct stat status;
	struct search search = {.address = text.text};

	if (!socket_address_find(fd, &address) || fstat(fd, &status) != 0)
		return false;
	write_address(&address, &text);
	search.inode = status.st_ino;
	file_each_line(address.family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", look_at_line,
	               &search);
	return search.found;
}

bool listener_may_have_peers(int fd)
{
#ifdef SO_REUSEPORT
	return ask_number(fd, SO_REUSEPORT) > 0;
#else
	(void)fd;
	return false;
#endif
}

static bool is_tcp(int fd)
{
#ifdef SO_PROTOCOL
	return ask_number(fd, SO_PROTOCOL) == IPPROTO_TCP;
#else
	(void)fd;
	return false;
#endif
}

bool listener_has_reuseport_peers(int fd)
{
	char text[16];

	if (!listener_may_have_peers(fd) || !is_tcp(fd))
		return false;
	return file_read("/proc/sys/net/ipv4/tcp_migrate_req", text, sizeof text) && text[0] == '1' &&
	       has_other_listener(fd);
}
