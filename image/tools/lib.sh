# SPDX-License-Identifier: Apache-2.0
# Where the tools tree is; sourced by image/tools/make and image/tools/enter.
# The tree's name carries the sum of its package list, so that a changed list makes a new tree
# and an old checkout still finds its own.

# shellcheck shell=sh disable=SC2034 # the variables are for whoever sources this
tools_dir=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
checkout=${tools_dir%/image/tools}
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/redoubt
packages=$tools_dir/packages.txt
tree_key=$(sha256sum <"$packages" | cut -c1-16)
tree=$cache/tools-$tree_key
marker=etc/redoubt-tools # holds the key; also tells enter that it runs inside already

say() { printf 'tools: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
