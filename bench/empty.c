/* empty.c - a library that does nothing: what its preloading costs is what any costs. */
extern const int empty;
const int empty = 0;
