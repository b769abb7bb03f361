# SPDX-License-Identifier: Apache-2.0
# An engine's answer as lines of tab-separated values that another engine's can be compared with:
# rows may be lists or objects, numbers and JSON may be in strings, and every engine writes times in its own way.

def moment:
	capture("^(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?<hour>[0-9]{2})(?<rest>(:[0-9]{2}){0,2})(?<part>[.][0-9]*[1-9])?[.0]*Z?$")
	| .day + "T" + .hour + (.rest + ":00:00" | .[:6]) + (.part // "");

def leaf:
	if . == true then 1
	elif . == false then 0
	elif type == "string" then
		if test("^-?[0-9]+([.][0-9]+)?$") then tonumber else (moment? // .) end
	else . end;

# The values of a row in their order. A list as text is a list.
def leaves:
	if type == "object" and has("__rockset_type") then .value | leaf
	elif type == "object" or type == "array" then .[] | leaves
	elif type == "string" and startswith("[") then fromjson[] | leaves
	elif . == null then empty
	else leaf end;

(if type == "object" then .results else . end)[]
| (if type == "object" then del(._event_time, ._meta) else . end) # Redoubt's own, which no other has
| [leaves]
| if $sorted == "1" then sort else . end # of a whole document the order of fields does not matter
| @tsv
