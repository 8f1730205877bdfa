/* quantity.c - the names of the quantities and of the limits on them. */
#include "quantity.h"

const struct quantity_kind quantity_kinds[QUANTITIES] = {
    [QUANTITY_SIZE] = {"size", "SL_MAX_SIZE", false, true},
    [QUANTITY_RESIDENT] = {"resident", "SL_MAX_RSS", false, true},
    [QUANTITY_UNSHARED] = {"unshared", "SL_MAX_UNSHARED", false, true},
    [QUANTITY_SHARED] = {"shared", "SL_MIN_SHARED", true, true},
    [QUANTITY_CONNECTIONS] = {"connections", "SL_MAX_CONNECTIONS", false, false},
};
