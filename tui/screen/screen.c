/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screen/screen.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include <curses.h>
#include <term.h>

#include "common/base.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"

/* curses.h has a name for what every view wants to use. */
#undef clear

constexpr int ESCAPE_DELAY_MS = 25; /* a second by default, which feels broken */
constexpr int PASTE_START = 0x2000; /* codes of our own, above those of curses */
constexpr int PASTE_END = 0x2001;
constexpr size_t RESET_MAX = 128;

static const char PASTE_ON[] = "\033[?2004h";
static const char PASTE_OFF[] = "\033[?2004l";

struct screen {
	SCREEN *terminal;
	struct grid shown; /* what the terminal shows */
	bool pasting, paste_on;
};

/* What a crash sends to the terminal; made while all is well, as a signal handler may do little. */
static struct {
	char text[RESET_MAX];
	size_t len;
	struct termios before;
} reset;

static const struct {
	short fg, bg; /* -1: the terminal's own */
	attr_t with_colour, without;
} STYLES[STYLE_COUNT] = {
	[STYLE_NORMAL] = { -1, -1, A_NORMAL, A_NORMAL },
	[STYLE_BAR] = { COLOR_WHITE, COLOR_BLUE, A_NORMAL, A_REVERSE },
	[STYLE_BAR_KEY] = { COLOR_YELLOW, COLOR_BLUE, A_BOLD, A_REVERSE | A_BOLD },
	[STYLE_BAR_HERE] = { COLOR_BLUE, COLOR_WHITE, A_BOLD, A_BOLD | A_UNDERLINE },
	[STYLE_HEAD] = { COLOR_CYAN, -1, A_BOLD, A_BOLD },
	[STYLE_SELECTED] = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE },
	[STYLE_GOOD] = { COLOR_GREEN, -1, A_NORMAL, A_NORMAL },
	[STYLE_WARN] = { COLOR_YELLOW, -1, A_BOLD, A_BOLD },
	[STYLE_BAD] = { COLOR_RED, -1, A_BOLD, A_BOLD | A_UNDERLINE },
	[STYLE_DIM] = { -1, -1, A_DIM, A_NORMAL },
	[STYLE_INPUT] = { COLOR_WHITE, COLOR_BLACK, A_UNDERLINE, A_UNDERLINE },
};

static const struct {
	int code; /* of curses */
	uint32_t key;
} KEYS[] = {
	{ KEY_UP, KEY_UP_ },	    { KEY_DOWN, KEY_DOWN_ },	  { KEY_LEFT, KEY_LEFT_ },
	{ KEY_RIGHT, KEY_RIGHT_ },  { KEY_HOME, KEY_HOME_ },	  { KEY_END, KEY_END_ },
	{ KEY_PPAGE, KEY_PAGE_UP }, { KEY_NPAGE, KEY_PAGE_DOWN }, { KEY_DC, KEY_DELETE },
	{ KEY_BTAB, KEY_BACK_TAB }, { KEY_ENTER, KEY_ENTER_ },	  { KEY_BACKSPACE, KEY_BACKSPACE_ },
};

/* --- taking and giving back the terminal ------------------------------------------------------- */

static void crashed(int number)
{
	(void)!write(STDOUT_FILENO, reset.text, reset.len);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &reset.before);
	(void)raise(number); /* SA_RESETHAND: this time it is deadly */
}

static void prepare_for_crash(void)
{
	static const int CRASHES[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS };
	struct sigaction action = { .sa_handler = crashed,
				    .sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };

	(void)snprintf(reset.text, sizeof(reset.text), "%s%s%s",
		       exit_attribute_mode ? exit_attribute_mode : "", PASTE_OFF,
		       exit_ca_mode ? exit_ca_mode : "");
	reset.len = strlen(reset.text);
	for (size_t i = 0; i < countof(CRASHES); i++)
		(void)sigaction(CRASHES[i], &action, nullptr);
}

/* A terminal that the appliance has never heard of is most likely one like xterm. */
static SCREEN *open_terminal(void)
{
	const char *name = getenv("TERM");

	if (!name || !*name || strcmp(name, "dumb") == 0 || strcmp(name, "unknown") == 0)
		return nullptr;
	SCREEN *terminal = newterm(name, stdout, stdin);
	return terminal ? terminal : newterm("xterm-256color", stdout, stdin);
}

static void set_up_colours(void)
{
	const char *no_color = getenv("NO_COLOR");

	if (!has_colors() || (no_color && *no_color)) /* no-color.org */
		return;
	if (start_color() == ERR)
		return;
	bool own = use_default_colors() == OK;
	for (short i = 1; i < STYLE_COUNT; i++) {
		short fg = STYLES[i].fg;
		short bg = STYLES[i].bg;

		if (fg < 0 && !own)
			fg = COLOR_WHITE;
		if (bg < 0 && !own)
			bg = COLOR_BLACK;
		(void)init_pair(i, fg, bg);
	}
}

static bool uses_colour(void)
{
	return COLOR_PAIRS > STYLE_COUNT &&
	       pair_content(STYLE_BAR, &(short) {}, &(short) {}) == OK && COLORS >= 8;
}

static void set_up_input(struct screen *screen)
{
	(void)raw(); /* Ctrl-C, Ctrl-Z, Ctrl-S are keys */
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)set_escdelay(ESCAPE_DELAY_MS);
	/* Terminals that have no such mode ignore it; those that are no descendants of VT100 may not. */
	screen->paste_on = exit_ca_mode != nullptr;
	if (screen->paste_on) {
		(void)define_key("\033[200~", PASTE_START);
		(void)define_key("\033[201~", PASTE_END);
		(void)fputs(PASTE_ON, stdout);
		(void)fflush(stdout);
	}
}

int screen_open(bool utf8, struct screen **ret)
{
	/* Which descriptions of terminals count is not for who signs in to say. */
	(void)unsetenv("TERMINFO");
	(void)unsetenv("TERMINFO_DIRS");
	(void)unsetenv("TERMCAP");
	(void)tcgetattr(STDIN_FILENO, &reset.before);

	cleanup(screen_close_at) struct screen *screen = calloc(1, sizeof(*screen));
	if (!screen)
		return -ENOMEM;

	screen->shown.utf8 = utf8;
	screen->terminal = open_terminal();
	if (!screen->terminal || !cursor_address)
		return SCREEN_UNFIT;
	prepare_for_crash();
	set_up_colours();
	set_up_input(screen);
	*ret = TAKE(screen);
	return 0;
}

struct screen *screen_close(struct screen *screen)
{
	if (!screen)
		return nullptr;
	if (screen->terminal) {
		if (screen->paste_on)
			(void)fputs(PASTE_OFF, stdout);
		(void)fflush(stdout);
		(void)erase(); /* what was shown is not to be scrolled back to */
		(void)refresh();
		(void)endwin();
		delscreen(screen->terminal);
	}
	grid_done(&screen->shown);
	free(screen);
	return nullptr;
}

/* --- painting ---------------------------------------------------------------------------------- */

int screen_fit(struct screen *screen, struct grid *grid)
{
	struct winsize size = {};
	int width = COLS;
	int height = LINES;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		width = size.ws_col < GRID_WIDTH_MAX ? size.ws_col : GRID_WIDTH_MAX;
		height = size.ws_row < GRID_HEIGHT_MAX ? size.ws_row : GRID_HEIGHT_MAX;
	}
	(void)resizeterm(height, width);
	screen_forget(screen);
	grid->utf8 = screen->shown.utf8;
	int r = grid_resize(grid, width, height);
	return r ? r : grid_resize(&screen->shown, width, height);
}

static void paint_cell(const struct cell *cell, int x, int y, bool colour)
{
	wchar_t text[3] = { (wchar_t)cell->rune, (wchar_t)cell->mark, 0 };
	attr_t attributes = colour ? STYLES[cell->style].with_colour : STYLES[cell->style].without;
	short pair = 0;
	cchar_t out;

	if (colour)
		pair = (short)cell->style;
	if (cell->width == 0 || setcchar(&out, text, attributes, pair, nullptr) == ERR)
		return;
	(void)mvadd_wch(y, x,
			&out); /* ERR in the last cell, where it cannot move on; it is drawn */
}

void screen_paint(struct screen *screen, const struct grid *grid)
{
	struct grid *shown = &screen->shown;
	auto row = (size_t)grid->width;
	bool colour = uses_colour();

	for (int y = 0; y < grid->height; y++) {
		const struct cell *new_row = grid_at(grid, 0, y);
		struct cell *old_row = shown->cell + (size_t)y * row;

		if (memcmp(new_row, old_row, row * sizeof(*new_row)) == 0)
			continue;
		memcpy(old_row, new_row, row * sizeof(*new_row));
		for (int x = 0; x < grid->width; x++)
			paint_cell(grid_at(grid, x, y), x, y, colour);
	}
	(void)move(grid->cursor_y, grid->cursor_x);
	(void)refresh();
}

void screen_forget(struct screen *screen)
{
	(void)clearok(curscr, TRUE);
	if (screen->shown.cell)
		memset(screen->shown.cell, 0,
		       (size_t)screen->shown.width * (size_t)screen->shown.height *
			       sizeof(*screen->shown.cell));
}

/* --- keys -------------------------------------------------------------------------------------- */

/* A code of curses. Returns whether it is a key that we know. */
static bool special_key(struct screen *screen, int code, uint32_t *ret)
{
	if (code == PASTE_START || code == PASTE_END) {
		screen->pasting = code == PASTE_START;
		return false;
	}
	if (code >= KEY_F(1) && code <= KEY_F(12)) {
		*ret = KEY_F0_ + (uint32_t)(code - KEY_F0);
		return true;
	}
	for (size_t i = 0; i < countof(KEYS); i++) {
		if (KEYS[i].code != code)
			continue;
		*ret = KEYS[i].key;
		return true;
	}
	return false;
}

static uint32_t character(const struct screen *screen, wint_t typed)
{
	auto key = (uint32_t)typed;

	if (screen->pasting) /* a line break in a paste is where a terminal wrapped a long key */
		return (key == '\n' || key == '\r' ? 0u : key) | KEY_PASTED;
	return key == '\n' ? (uint32_t)KEY_ENTER_ : key == 0x7F ? (uint32_t)KEY_BACKSPACE_ : key;
}

bool screen_key(struct screen *screen, uint32_t *ret)
{
	wint_t typed = 0;

	for (int kind = get_wch(&typed); kind != ERR; kind = get_wch(&typed)) {
		if (kind == KEY_CODE_YES) {
			if (special_key(screen, (int)typed, ret))
				return true;
			continue;
		}
		if (typed >= KEY_SPECIAL)
			continue;
		*ret = character(screen, typed);
		return true;
	}
	return false;
}
