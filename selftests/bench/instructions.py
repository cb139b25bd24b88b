# SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
"""Which functions the instructions of a load are spent in: reads what
profile_plugin.c has counted."""

import bisect
import collections

USER = 1 << 47
MODULE = "[ramload]"


class Symbols:
    """The kernel's functions, by where they begin; a module's have its name
    behind theirs."""

    def __init__(self, kallsyms):
        rows = []
        for line in kallsyms.splitlines():
            address, kind, *name = line.split()
            if kind in "tTwW":
                rows.append((int(address, 16), " ".join(name)))
        rows.sort()
        self.addresses = [row[0] for row in rows]
        self.names = [row[1] for row in rows]

    def name(self, address):
        if address < USER:
            return "(user space)"
        i = bisect.bisect_right(self.addresses, address) - 1
        return self.names[i] if i >= 0 else "(unknown)"


def read_times(path):
    """What was counted in each time between two marks: {address: count}."""
    times = []
    with open(path, encoding="ascii") as file:
        for line in file:
            if line == "time\n":
                times.append({})
            else:
                address, count = line.split()
                times[-1][int(address, 16)] = int(count)
    return times


def by_function(time, symbols, pages):
    """[(function, instructions a page)], the dearest first."""
    sums = collections.Counter()
    for address, count in time.items():
        sums[symbols.name(address)] += count
    return [(name, count / pages) for name, count in sums.most_common()]


def print_profile(title, rows, most):
    total = sum(count for _, count in rows)
    module = sum(count for name, count in rows if name.endswith(MODULE))
    print(f"\n{title}: {total:.0f} instructions a page, "
          f"{module:.0f} in the module")
    for name, count in rows[:most]:
        print(f"  {count:8.0f}  {100 * count / total:5.1f} %  {name}")
    rest = sum(count for _, count in rows[most:])
    print(f"  {rest:8.0f}  {100 * rest / total:5.1f} %  (others)")
