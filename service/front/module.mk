programs += service/front/redoubt-front
front_src := service/front/acceptors.c service/front/conn.c service/front/exchange.c \
	service/front/notify.c service/front/peers.c service/front/routes.c service/front/source.c
service/front/redoubt-front.src := service/front/main.c $(front_src)
service/front/redoubt-front.libs := service/http/http service/tls/tls service/api/api common/common
service/front/redoubt-front.pkgs := $(common_pkgs) libssl libllhttp
