/* quantity.c - the names of the quantities and of the limits on them. */
#include "quantity.h"

const struct quantity_kind quantity_kinds[QUANTITIES] = {
    [QUANTITY_SIZE] = {"size", "SL_MAX_SIZE", false, UNIT_BYTES},
    [QUANTITY_RESIDENT] = {"resident", "SL_MAX_RSS", false, UNIT_BYTES},
    [QUANTITY_UNSHARED] = {"unshared", "SL_MAX_UNSHARED", false, UNIT_BYTES},
    [QUANTITY_SHARED] = {"shared", "SL_MIN_SHARED", true, UNIT_BYTES},
    [QUANTITY_PROPORTIONAL] = {"proportional", "SL_MAX_PSS", false, UNIT_BYTES},
    [QUANTITY_SWAPPED] = {"swapped", "SL_MAX_SWAP", false, UNIT_BYTES},
    [QUANTITY_GROWTH] = {"growth", "SL_MAX_GROWTH", false, UNIT_BYTES},
    [QUANTITY_CONNECTIONS] = {"connections", "SL_MAX_CONNECTIONS", false, UNIT_COUNT},
    [QUANTITY_REQUESTS] = {"requests", "SL_MAX_REQUESTS", false, UNIT_COUNT},
    [QUANTITY_AGE] = {"age", "SL_MAX_AGE", false, UNIT_MILLISECONDS},
    [QUANTITY_CPU] = {"cpu", "SL_MAX_CPU", false, UNIT_MILLISECONDS},
    [QUANTITY_DESCRIPTORS] = {"descriptors", "SL_MAX_FDS", false, UNIT_COUNT},
    [QUANTITY_POOL] = {"pool", "SL_MAX_POOL", false, UNIT_BYTES},
};

void quantity_write(struct line *line, enum quantity quantity, uint64_t value)
{
	switch (quantity_kinds[quantity].unit) {
	case UNIT_BYTES:
		line_number(line, value / 1024 + (value % 1024 > 0));
		line_text(line, " KB");
		break;
	case UNIT_MILLISECONDS:
		line_seconds(line, value - value % 10 + (value % 10 > 0 ? 10 : 0));
		break;
	case UNIT_COUNT:
		line_number(line, value);
	}
}
