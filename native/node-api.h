/*
 * The few functions of Node-API that are used here. Its binary interface never changes, so this replaces the headers of
 * Node, which many machines with a compiler do not have.
 */
#ifndef HEARTWIRE_NODE_API_H
#define HEARTWIRE_NODE_API_H

#include <stddef.h>
#include <stdint.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);
/* `napi_ok` is 0. */
typedef int napi_status;

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv, napi_value *self,
                             void **data);
napi_status napi_get_typedarray_info(napi_env env, napi_value array, int *type, size_t *length, void **data,
                                     napi_value *buffer, size_t *offset);
napi_status napi_get_value_int32(napi_env env, napi_value value, int32_t *result);
napi_status napi_create_int32(napi_env env, int32_t value, napi_value *result);
napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback callback, void *data,
                                 napi_value *result);
napi_status napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value);
napi_status napi_throw_error(napi_env env, const char *code, const char *message);

#endif
