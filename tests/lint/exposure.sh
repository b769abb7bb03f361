#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No unit may get more exposed than its limit. Shows only what does.
set -eu
found=$(hardening/exposure.sh) || { printf '%s\n' "$found" | grep -v '^ok'; exit 1; }
