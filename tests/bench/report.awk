# SPDX-License-Identifier: Apache-2.0
# report.awk steps.tsv differs.tsv CONTENDER.tsv...: the tables, as Markdown.
# The last column says how much better Redoubt is than the best other: 2.0 is half of its time or size.

function number(value) {
	return value >= 100 ? sprintf("%.0f", value) : value >= 10 ? sprintf("%.1f", value) : sprintf("%.2f", value)
}

function title(text,   i, line, under) {
	line = "| |"
	under = "|---|"
	for (i = 1; i <= contenders; i++) {
		line = line " " name[i] " |"
		under = under "---:|"
	}
	printf "\n## %s\n\n%s to reach | best other / redoubt |\n%s---:|---:|\n", text, line, under
}

# A figure with its mark; "-" if there is none.
function cell(who, step, figure, divide) {
	if (!((who, step, figure) in value))
		return "-"
	return number(value[who, step, figure] / divide) ((who, step) in differs ? " (answer differs)" : "")
}

function row(step, figure, label, divide, limit,   i, line, best, mine) {
	line = "| " label " |"
	best = mine = 0
	for (i = 1; i <= contenders; i++) {
		line = line " " cell(name[i], step, figure, divide) " |"
		if (!((name[i], step, figure) in value) || (name[i], step) in differs)
			continue
		if (name[i] == "redoubt")
			mine = value[name[i], step, figure]
		else if (best == 0 || value[name[i], step, figure] < best)
			best = value[name[i], step, figure]
	}
	print line " " (documents == 2000000 ? limit : "-") " | " (mine > 0 && best > 0 ? number(best / mine) : "-") " |"
}

BEGIN { FS = "\t" }
FNR == 1 { # an empty file has no first line, so files are told apart by name
	file = FILENAME
	sub(/.*\//, "", file)
}
file == "steps.tsv" && !/^#/ { line_of[++lines] = $0 }
file == "differs.tsv" { differs[$1, $2] = 1 }
file != "steps.tsv" && file != "differs.tsv" {
	if (FNR == 1) {
		name[++contenders] = FILENAME
		sub(/.*\//, "", name[contenders])
		sub(/[.]tsv$/, "", name[contenders])
	}
	value[name[contenders], $1, $2] = $3
}
END {
	for (l = 1; l <= lines; l++) {
		if (sub(/^= /, "", line_of[l])) {
			title(line_of[l])
			continue
		}
		split(line_of[l], part, "\t")
		row(part[1], part[2], part[3], part[4], part[5])
	}
	if (!(("redoubt", "load", "cpu_ms") in value))
		exit
	print "\n## Redoubt's other processes (ms)\n\nThe figures above are the engine's. Around it work, per query:\n"
	print "| | front (TLS, HTTP) | audit (the ledger) |\n|---|---:|---:|"
	for (l = 1; l <= lines; l++) {
		split(line_of[l], part, "\t")
		if (part[2] == "cpu_ms" && ("redoubt", part[1], "front_ms") in value)
			printf "| %s | %s | %s |\n", part[3], number(value["redoubt", part[1], "front_ms"]), \
				number(value["redoubt", part[1], "audit_ms"])
	}
}
