/**
 * @file text.h
 * The in-program face of the text engine: everything in it is public.
 */
#ifndef KD_TEXT_H
#define KD_TEXT_H

#include <kindred/text.h>

#endif
