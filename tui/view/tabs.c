/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view/tabs.h"

#include <stddef.h>

#include "common/base.h"
#include "tui/view/key.h"
#include "tui/view/view.h"

const struct tab TABS[] = {
	{ KEY_F0_ + 2, '2', "F2", "Dashboard", "2 Dash", true, &VIEW_DASHBOARD },
	{ KEY_F0_ + 3, '3', "F3", "People", "3 People", false, &VIEW_PEOPLE },
	{ KEY_F0_ + 4, '4', "F4", "API keys", "4 Keys", false, &VIEW_API_KEYS },
	{ KEY_F0_ + 5, '5', "F5", "Audit", "5 Audit", false, &VIEW_AUDIT },
};
const size_t TABS_COUNT = countof(TABS);
