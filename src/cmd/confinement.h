/* confinement.h - what of the library cannot work under the settings of a unit that confine its
 * server. May not know: how a unit is read. */
#ifndef SLSHIM_CONFINEMENT_H
#define SLSHIM_CONFINEMENT_H

#include "cmd/list.h"
#include "cmd/settings.h"
#include "config.h"

/* Adds what cannot work, and what is only worth a word. `library`: its path; "" if it is not known.
 */
void confinement_find(const struct settings *settings, const struct config *config,
                      const char *library, struct list *wrong, struct list *notes);

#endif
