archives += service/api/api
service/api/api.src := service/api/error.c
