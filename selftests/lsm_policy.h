/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Policies of AppArmor: one that allows everything, and one that lets a process
 * do nothing with files, not even with those it has opened under the first.
 */
#ifndef LSM_POLICY_H
#define LSM_POLICY_H

struct reason;

#define LSM_POLICY_ALL		"ramload-all"
#define LSM_POLICY_NOTHING	"ramload-nothing"

/* 0, or -1 and why. */
int lsm_policy_load(struct reason *why);
void lsm_policy_remove(void);

/* The calling task is under that policy from here on. 0 or -1. */
int lsm_policy_enter(const char *name);

#endif /* LSM_POLICY_H */
