# SPDX-License-Identifier: Apache-2.0
# compare.awk FILE OTHER: succeeds if both hold the same values; numbers may differ after the ninth digit,
# because sums of floats depend on their order.
BEGIN { FS = "\t" }
function same(a, b,   difference) {
	if (a == b)
		return 1
	if (a !~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ || b !~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/)
		return 0
	difference = a - b
	return difference * difference <= 1e-18 * a * a
}
NR == FNR { wanted[FNR] = $0; rows = FNR; next }
{
	n = split(wanted[FNR], want, "\t")
	if (n != NF)
		bad = 1
	for (i = 1; i <= NF; i++)
		if (!same(want[i], $i))
			bad = 1
	others = FNR
}
END { exit bad || rows != others || rows == 0 }
