/* embedded.h - the files that are part of a report's page; make puts them into embedded.c. */
#ifndef SLSHIM_EMBEDDED_H
#define SLSHIM_EMBEDDED_H

/* Each ends with a NUL. */
extern const unsigned char embedded_style[], embedded_script[]; /* report.css, report.js */
extern const unsigned char embedded_plot_style[], embedded_plot_script[]; /* uPlot */

#endif
