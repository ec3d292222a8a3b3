/* A libnvidia-ml.so.1 that plays a script: the real pynvml binding loads it, and so is tested too.
 *
 * The script is the file that FAKE_NVML names, read anew whenever it was replaced. A line is `KEY VALUE`; what a GPU tells
 * is `gpu.0.temperature 61`, what a slice of it tells `gpu.0.mig.1.memory 5000`. A value `!3` is the NVML error 3,
 * and so is a key that is missing. `hang_ms` holds up every call, `gpu.0.hang_ms` those about one GPU.
 *
 * RELEASE is the number that the calls for processes end in; a driver before 510 has them as 2. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef RELEASE
#define RELEASE 3
#endif
#define JOINED(name, number) name##_v##number
#define NUMBERED(name, number) JOINED(name, number)

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, NOT_LOADED = 9 };
enum { PATH = 4096, LINE = 512, SLICES = 8 };

struct memory { unsigned long long total, free, used; };
struct rates { unsigned int gpu, memory; };
struct process { unsigned int pid; unsigned long long used; unsigned int gpu_instance, compute_instance; };

static int started;

/* The script as it is now. What it takes to read it is no cost of what is tested, so that is done rarely. */
static const char *script(void) {
    static char *text;
    static struct stat read_as;
    const char *path = getenv("FAKE_NVML");
    struct stat now;
    if (!path || stat(path, &now))
        return "";
    if (!text || now.st_ino != read_as.st_ino || now.st_mtim.tv_nsec != read_as.st_mtim.tv_nsec) {
        FILE *file = fopen(path, "r");
        if (!file)
            return "";
        free(text);
        text = calloc(1, (size_t)now.st_size + 1);
        if (fread(text, 1, (size_t)now.st_size, file) == 0)
            text[0] = 0;
        fclose(file);
        read_as = now;
    }
    return text;
}

/* Find the value of a key, the n-th of that key; 0 when it is not there. */
static int find(const char *key, int n, char *value) {
    size_t length = strlen(key);
    for (const char *line = script(); *line; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, key, length) == 0 && line[length] == ' ' && n-- == 0) {
            snprintf(value, LINE, "%.*s", (int)strcspn(line + length + 1, "\n"), line + length + 1);
            return 1;
        }
        if (!strchr(line, '\n'))
            break;
    }
    return 0;
}

static void hang(const char *key) {
    char value[LINE];
    if (find(key, 0, value))
        usleep((useconds_t)atol(value) * 1000);
}

/* A handle is the GPU's number times 16, with the slice's number and one added; never NULL. */
static void *handle_of(int gpu, int slice) { return (void *)(uintptr_t)((gpu + 1) * 16 + slice + 1); }

static void key_of(void *handle, const char *field, char *key) {
    int gpu = (int)((uintptr_t)handle / 16) - 1, slice = (int)((uintptr_t)handle % 16) - 1;
    if (slice < 0)
        snprintf(key, LINE, "gpu.%d.%s", gpu, field);
    else
        snprintf(key, LINE, "gpu.%d.mig.%d.%s", gpu, slice, field);
}

static int ask(void *handle, const char *field, char *value) {
    char key[LINE];
    if (!started)
        return UNINITIALIZED;
    hang("hang_ms");
    if (find("driver_error", 0, value))
        return atoi(value);
    key_of(handle, "hang_ms", key);
    hang(key);
    key_of(handle, "lost", key);
    if (find(key, 0, value))
        return 15;
    key_of(handle, field, key);
    if (!find(key, 0, value))
        return NOT_SUPPORTED;
    return value[0] == '!' ? atoi(value + 1) : OK;
}

static int number(void *handle, const char *field, unsigned int *result) {
    char value[LINE];
    int error = ask(handle, field, value);
    if (!error)
        *result = (unsigned int)strtoul(value, NULL, 0);
    return error;
}

static int text(void *handle, const char *field, char *result, unsigned int length) {
    char value[LINE];
    int error = ask(handle, field, value);
    if (!error)
        snprintf(result, length, "%s", value);
    return error;
}

int nvmlInitWithFlags(unsigned int flags) {
    char value[LINE];
    (void)flags;
    hang("hang_ms");
    if (find("driver_error", 0, value))
        return atoi(value);
    started = 1;
    return OK;
}

int nvmlShutdown(void) {
    started = 0;
    return OK;
}

const char *nvmlErrorString(int error) { return error == 999 ? "Unknown Error" : "An error of the script"; }

int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    char value[LINE];
    if (!find("driver", 0, value))
        return NOT_LOADED;
    snprintf(version, length, "%s", value);
    return OK;
}

int nvmlDeviceGetCount_v2(unsigned int *count) {
    char value[LINE];
    if (!started)
        return UNINITIALIZED;
    hang("hang_ms");
    if (find("driver_error", 0, value))
        return atoi(value);
    *count = find("count", 0, value) ? (unsigned int)atoi(value) : 0;
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle) {
    char value[LINE];
    *handle = handle_of((int)index, -1);
    return ask(*handle, "uuid", value);
}

int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned int length) { return text(handle, "uuid", uuid, length); }
int nvmlDeviceGetName(void *handle, char *name, unsigned int length) { return text(handle, "name", name, length); }

int nvmlDeviceGetMemoryInfo(void *handle, struct memory *memory) {
    char value[LINE];
    int error = ask(handle, "memory", value); /* `USED TOTAL` in bytes */
    if (!error) {
        sscanf(value, "%llu %llu", &memory->used, &memory->total);
        memory->free = memory->total - memory->used;
    }
    return error;
}

int nvmlDeviceGetUtilizationRates(void *handle, struct rates *rates) {
    char value[LINE];
    int error = ask(handle, "utilisation", value); /* `GPU MEMORY` in percent */
    if (!error)
        sscanf(value, "%u %u", &rates->gpu, &rates->memory);
    return error;
}

int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned int *degrees) {
    (void)sensor;
    return number(handle, "temperature", degrees);
}

int nvmlDeviceGetTemperatureThreshold(void *handle, int which, unsigned int *degrees) {
    return number(handle, which == 0 ? "shutdown" : "slowdown", degrees);
}

int nvmlDeviceGetPowerUsage(void *handle, unsigned int *milliwatts) { return number(handle, "power", milliwatts); }
int nvmlDeviceGetEnforcedPowerLimit(void *handle, unsigned int *milliwatts) { return number(handle, "limit", milliwatts); }
int nvmlDeviceGetFanSpeed(void *handle, unsigned int *percent) { return number(handle, "fan", percent); }
int nvmlDeviceGetMemoryBusWidth(void *handle, unsigned int *bits) { return number(handle, "bus", bits); }

int nvmlDeviceGetClockInfo(void *handle, int which, unsigned int *mhz) {
    return number(handle, which == 2 ? "memory_clock" : "clock", mhz);
}

int nvmlDeviceGetMaxClockInfo(void *handle, int which, unsigned int *mhz) {
    return number(handle, which == 2 ? "top_memory_clock" : "top_clock", mhz);
}

int nvmlDeviceGetCurrentClocksThrottleReasons(void *handle, unsigned long long *reasons) {
    unsigned int bits = 0;
    int error = number(handle, "throttled", &bits);
    *reasons = bits;
    return error;
}

static int processes(void *handle, const char *field, unsigned int *count, struct process *found) {
    char key[LINE], value[LINE];
    unsigned int space = *count, n = 0;
    int error = ask(handle, field, value);
    *count = 0;
    if (error)
        return error == NOT_SUPPORTED ? OK : error;
    key_of(handle, field, key);
    for (; find(key, (int)n, value); n++) { /* `PID BYTES` */
        if (found && n < space) {
            memset(&found[n], 0, sizeof *found);
            sscanf(value, "%u %llu", &found[n].pid, &found[n].used);
        }
    }
    *count = n;
    return found && n <= space ? OK : TOO_SMALL;
}

int NUMBERED(nvmlDeviceGetComputeRunningProcesses, RELEASE)(void *handle, unsigned int *count, struct process *found) {
    return processes(handle, "process", count, found);
}

int NUMBERED(nvmlDeviceGetGraphicsRunningProcesses, RELEASE)(void *handle, unsigned int *count, struct process *found) {
    return processes(handle, "drawing", count, found);
}

int NUMBERED(nvmlDeviceGetMPSComputeRunningProcesses, RELEASE)(void *handle, unsigned int *count, struct process *found) {
    return processes(handle, "serving", count, found);
}

int nvmlDeviceGetMigMode(void *handle, unsigned int *current, unsigned int *pending) {
    int error = number(handle, "mig", current);
    *pending = *current;
    return error;
}

int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned int *count) {
    (void)handle;
    *count = SLICES - 1;
    return OK;
}

int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned int index, void **slice) {
    char value[LINE];
    int error;
    *slice = handle_of((int)((uintptr_t)handle / 16) - 1, (int)index);
    error = ask(*slice, "uuid", value);
    return error == NOT_SUPPORTED ? NOT_FOUND : error;
}
