/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * The harness, for tests of which a debug kernel on a machine with too much to do
 * takes more than half of the 30 s that one has.
 */
#ifndef PATIENT_HARNESS_H
#define PATIENT_HARNESS_H

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 300

#endif /* PATIENT_HARNESS_H */
