# SPDX-License-Identifier: Apache-2.0
programs += service/front/redoubt-front
front_src := service/front/acceptors.c service/front/conn.c service/front/credit.c service/front/exchange.c service/front/missing.c \
	service/front/notify.c service/front/peers.c service/front/routes.c service/front/seats.c service/front/source.c
service/front/redoubt-front.src := service/front/main.c $(front_src)
service/front/redoubt-front.libs := service/http/http service/tls/tls service/api/api common/common
service/front/redoubt-front.pkgs := $(common_pkgs) libssl libllhttp

front_units := /usr/lib/systemd/system
installs += service/front/redoubt-front:/usr/lib/redoubt \
	service/front/redoubt-front.service:$(front_units) \
	service/front/redoubt-front.service.d/20-needs.conf:$(front_units)/redoubt-front.service.d \
	service/front/redoubt-front.socket:$(front_units) \
	service/front/redoubt-front-http.socket:$(front_units) \
	service/front/redoubt-front-engine.socket:$(front_units) \
	service/front/redoubt-front-accounts.socket:$(front_units) \
	service/front/redoubt-front-appliance.socket:$(front_units) \
	service/front/redoubt-front-notify.socket:$(front_units)
