// SPDX-License-Identifier: GPL-3.0-or-later
/* Docker, by its command line: the root becomes an image for the time of the run. */
#include "environments/engines/engine.h"

#include "common/file.h"

#include <string.h>

static const struct spec_key keys[] = {
    {"runtime", NULL, "an OCI runtime that its daemon knows: runc, runsc, ... (its default)"},
    {NULL, NULL, NULL},
};

static const char *const version[] = {"version", "--format", "{{.Server.Version}}", NULL};
static const char *const start[] = {"run",
                                    "--rm",
                                    "--interactive",
                                    "--pull=never",
                                    "--runtime={runtime}",
                                    "--name={name}",
                                    "--label=" ENGINE_LABEL "={name}",
                                    "--hostname=boxmark",
                                    "--network=none",
                                    "--read-only",
                                    "--cpuset-cpus={cpus}",
                                    "--cpuset-mems={nodes}",
                                    "--memory={memory}",
                                    "--memory-swap={memory}",
                                    "--pids-limit={pids}",
                                    "--ulimit=nofile={files}:{files}",
                                    "--cap-drop=ALL",
                                    "--security-opt=no-new-privileges",
                                    "--log-driver=none",
                                    "--volume={data}:" ENGINE_DATA,
                                    "{image}",
                                    ENGINE_AGENT,
                                    "--data",
                                    ENGINE_DATA,
                                    NULL};
static const char *const import[] = {"import",    "--change", "LABEL " ENGINE_LABEL "={image}",
                                     "{archive}", "{image}",  NULL};
static const char *const remove_one[] = {"rm", "--force", "--volumes", "{name}", NULL};
static const char *const pid[] = {"inspect", "--format", "{{.State.Pid}}", "{name}", NULL};
static const char *const list[] = {"ps",       "--all",      "--filter", "label=" ENGINE_LABEL,
                                   "--format", "{{.Names}}", NULL};
static const char *const list_images[] = {"images",   "--filter",        "label=" ENGINE_LABEL,
                                          "--format", "{{.Repository}}", NULL};
static const char *const remove_image[] = {"rmi", "--force", "{image}", NULL};
static const char *const variables[] = {"PATH",
                                        "HOME",
                                        "DOCKER_HOST",
                                        "DOCKER_CONTEXT",
                                        "DOCKER_CONFIG",
                                        "DOCKER_CERT_PATH",
                                        "DOCKER_TLS_VERIFY",
                                        "XDG_RUNTIME_DIR",
                                        NULL};

static int import_image(struct environment *environment, struct error **err) {
    struct engine_world *world = environment->state;
    cleanup_free char *archive = text_format("%s/root.tar", world->folder);
    cleanup_free char *printed = NULL;
    if (!archive)
        return error_no_memory(err);
    if (engine_make_archive(world->root, archive, err) < 0)
        return -1;
    /* From here on there may be one, whatever is said. */
    world->image_made = true;
    if (engine_run(environment, NULL, import, &printed, err) < 0)
        return error_wrap(err, "docker took no image");
    unlink(archive);
    snprintf(environment->image, sizeof(environment->image), "docker image %.*s",
             (int)strcspn(printed, "\r\n"), printed);
    return 0;
}

const struct engine engine_docker = {
    .ops = ENGINE_OPERATIONS("docker", "docker run on an image of the same root", keys),
    .program = "docker",
    .packages = {"docker.io", "moby-engine", "docker"},
    .service = "docker",
    .daemon = "dockerd",
    .version = version,
    .start = start,
    .remove = remove_one,
    .pid = pid,
    .list = list,
    .list_images = list_images,
    .remove_image = remove_image,
    .environment = variables,
    .provision = import_image,
};
