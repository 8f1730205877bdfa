/* way.h - how a worker leaves: what is done and at which moment. Shared by the configuration
 * (SL_LEAVE), the profiles and the leaving itself. */
#ifndef SLSHIM_WAY_H
#define SLSHIM_WAY_H

enum deed {
	DEED_UNSAID,   /* nobody has said: a profile may */
	DEED_NONE,     /* stay, whatever happens */
	DEED_SIGNAL,   /* raise a signal that the server answers by leaving gracefully */
	DEED_EXIT,     /* exit(0), with the atexit handlers, under a watchdog */
	DEED_QUICKEXIT /* flush stdio, then _exit(0) */
};

/* Both moments lie between two connections. */
enum moment {
	MOMENT_CLOSE, /* right after the close of the last open connection */
	MOMENT_ACCEPT /* before the real accept */
};

struct way {
	enum deed deed;
	int signal; /* with DEED_SIGNAL */
	enum moment moment;
};

#endif
