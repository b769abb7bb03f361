/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * heap: when malloc asks the kernel for memory, and when it gives memory back.
 *
 * Layer 1 (common). Safe from any thread. For a process whose requests are alike: what one of them has freed is the next one's,
 * instead of going to the kernel and coming back page by page, filled with zeros. Source: mallopt(3).
 */

/* Keep what is freed. Call once, before there are threads. */
void heap_reuse(void);

/* Give back what is free at the end of the memory that the calling thread takes from; it is about to wait. Cost: some µs. */
void heap_rest(void);

/* The same, and what is free between other things in all threads' memory. Cost: some ms after much work. */
void heap_trim(void);
