/* The QuickJS module "socket": what its "os" module lacks to talk to a UNIX socket. quickjs.d.ts has the declarations. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <quickjs.h>

static int set_timeouts(int fd, int64_t ms)
{
    const struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return -errno;
    return 0;
}

static int connect_unix(const char *path, size_t length, int64_t timeout_ms)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, result;

    if (length == 0 || length >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* SO_SNDTIMEO also limits connect(), which waits while the listener's backlog is full. */
    result = set_timeouts(fd, timeout_ms);
    if (result == 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        result = -errno;
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

static JSValue js_connect(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    const char *path;
    size_t length;
    int64_t timeout_ms;
    int result;

    (void)self;
    (void)argc;
    if (JS_ToInt64(ctx, &timeout_ms, argv[1]) < 0)
        return JS_EXCEPTION;
    path = JS_ToCStringLen(ctx, &length, argv[0]);
    if (!path)
        return JS_EXCEPTION;
    result = connect_unix(path, length, timeout_ms);
    JS_FreeCString(ctx, path);
    return JS_NewInt32(ctx, result);
}

static JSValue js_set_timeouts(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    int32_t fd;
    int64_t timeout_ms;

    (void)self;
    (void)argc;
    if (JS_ToInt32(ctx, &fd, argv[0]) < 0 || JS_ToInt64(ctx, &timeout_ms, argv[1]) < 0)
        return JS_EXCEPTION;
    return JS_NewInt32(ctx, set_timeouts(fd, timeout_ms));
}

static JSValue js_errno_name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    const char *name;
    int32_t number;

    (void)self;
    (void)argc;
    if (JS_ToInt32(ctx, &number, argv[0]) < 0)
        return JS_EXCEPTION;
    name = strerrorname_np(number);
    return JS_NewString(ctx, name ? name : "UNKNOWN");
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("connect", 2, js_connect),
    JS_CFUNC_DEF("setTimeouts", 2, js_set_timeouts),
    JS_CFUNC_DEF("errnoName", 1, js_errno_name),
};

static int init(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

/* The name is qjsc's convention for a module that is given by `-M socket,socket`. */
JSModuleDef *js_init_module_socket(JSContext *ctx, const char *name)
{
    JSModuleDef *module = JS_NewCModule(ctx, name, init);

    if (!module)
        return NULL;
    /* A peer that is gone shall be an error of write(), not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    if (JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0])) < 0)
        return NULL;
    return module;
}
