/* screen.c - screen.h with ncurses. */
#define _GNU_SOURCE /* its wide characters */
#include "cmd/screen.h"

#include <curses.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/cmd.h"

static bool is_open;
static attr_t looks[MARKS];

/* --------------------------------------------------------------------- colours */

/* Each has a second sign, a word or a figure, for those who see no colours. */
static void set_looks(void)
{
	static const short colours[MARKS] = {
	    [MARK_OVER] = COLOR_RED, [MARK_PENDING] = COLOR_YELLOW, [MARK_AWAY] = COLOR_CYAN};
	const char *unwanted = getenv("NO_COLOR");

	looks[MARK_TITLE] = looks[MARK_LABEL] = looks[MARK_CHOSEN] = looks[MARK_OVER] = A_BOLD;
	looks[MARK_BAR] = A_DIM;
	looks[MARK_HEAD] = A_REVERSE;
	looks[MARK_SORTED] = A_REVERSE | A_BOLD;
	if ((unwanted != NULL && *unwanted != '\0') || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	for (short mark = 0; mark < MARKS; mark++)
		if (colours[mark] != 0 && init_pair(mark, colours[mark], -1) != ERR)
			looks[mark] |= COLOR_PAIR(mark);
}

/* -------------------------------------------------------------------- the ends */

void screen_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	endwin();
}

/* As ncurses itself does at SIGINT: what follows is the end in any case. */
static void restore(int number)
{
	screen_close();
	raise(number);
}

static void restore_at_faults(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
	struct sigaction action = {.sa_handler = restore, .sa_flags = SA_RESETHAND | SA_NODEFER};

	for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++)
		sigaction(faults[i], &action, NULL);
	atexit(screen_close);
}

/* Unlike initscr(), this does not end the program where it fails. */
static bool open_terminal(void)
{
	SCREEN *screen = newterm(NULL, stdout, stdin);

	if (screen == NULL || tigetstr("cup") != NULL)
		return screen != NULL;
	endwin();
	delscreen(screen);
	return false; /* its cursor cannot be moved */
}

bool screen_open(void)
{
	const char *name = getenv("TERM");

	if (!open_terminal()) {
		cmd_complain(
		    "TERM=%s is no terminal that can be drawn on; accepted: another one, or --once",
		    name != NULL ? name : "");
		return false;
	}
	is_open = true;
	restore_at_faults();
	set_escdelay(25);
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_looks();
	return true;
}

/* --------------------------------------------------------------------- drawing */

void screen_size(unsigned *columns, unsigned *rows)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
	    is_term_resized(size.ws_row, size.ws_col)) {
		resizeterm(size.ws_row, size.ws_col);
		clearok(stdscr, TRUE);
	}
	*columns = (unsigned)COLS;
	*rows = (unsigned)LINES;
}

/* In pieces of the same mark. */
static void draw_line(int row, const struct top_cell *cells, unsigned used)
{
	move(row, 0);
	for (unsigned from = 0, to; from < used; from = to) {
		wchar_t text[TOP_LINE_MOST];
		int length = 0;

		for (to = from; to < used && cells[to].mark == cells[from].mark; to++)
			text[length++] = cells[to].character;
		attrset((int)looks[cells[from].mark]);
		addnwstr(text, length);
	}
	attrset(A_NORMAL);
}

void screen_draw(const struct top_text *lines)
{
	erase();
	for (unsigned i = 0; i < lines->count; i++)
		draw_line((int)i, top_text_cells(lines, i), lines->lines[i].used);
	refresh();
}

/* ------------------------------------------------------------------------ keys */

static struct screen_input read_key(wint_t code)
{
	static const struct {
		wint_t code;
		enum top_key key;
	} keys[] = {
	    {KEY_UP, TOP_LINE_UP},      {KEY_DOWN, TOP_LINE_DOWN},     {KEY_PPAGE, TOP_PAGE_UP},
	    {KEY_NPAGE, TOP_PAGE_DOWN}, {KEY_HOME, TOP_FIRST},         {KEY_END, TOP_LAST},
	    {KEY_RIGHT, TOP_NEXT_POOL}, {KEY_LEFT, TOP_PREVIOUS_POOL}, {KEY_BTAB, TOP_PREVIOUS_POOL},
	};

	for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i].code == code)
			return (struct screen_input){.kind = INPUT_KEY, .key = keys[i].key};
	return (struct screen_input){.kind = INPUT_OTHER};
}

static struct screen_input read_character(wint_t character)
{
	enum { CONTROL_L = 'L' - '@' };

	switch (character) {
	case L'q':
		return (struct screen_input){.kind = INPUT_QUIT};
	case L'\t':
		return (struct screen_input){.kind = INPUT_KEY, .key = TOP_NEXT_POOL};
	case L' ':
		return (struct screen_input){.kind = INPUT_KEY, .key = TOP_PAGE_DOWN};
	case CONTROL_L:
		clearok(stdscr, TRUE);
		break;
	default:
		return (struct screen_input){.kind = INPUT_LETTER, .letter = (wchar_t)character};
	}
	return (struct screen_input){.kind = INPUT_OTHER};
}

struct screen_input screen_read(void)
{
	wint_t code;

	switch (get_wch(&code)) {
	case OK:
		return read_character(code);
	case KEY_CODE_YES:
		return read_key(code);
	default:
		return (struct screen_input){.kind = INPUT_NONE};
	}
}
