/** @file match.h The linkage engine for the rest of the program; all of it is public. */
#ifndef KD_MATCH_H
#define KD_MATCH_H

#include <kindred/match.h>

#endif
