# SPDX-License-Identifier: Apache-2.0
archives += service/http/http
service/http/http.src := service/http/authorization.c service/http/host.c service/http/request.c \
	service/http/response.c service/http/target.c
http_pkgs := libllhttp
