// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/topology.h"

#include "common/file.h"
#include "plots/html.h"

#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

/* All in pixels. */
enum {
    GAP = 6,
    LINE = 20,
    LETTER = 8,
    ROW_WIDTH = 1000, /* children beyond this begin a new row */
    CHILDREN_MAX = 1024,
};

struct extent {
    unsigned width, height;
};

/* "L3 (32MB)", "Core P#1", "Machine (23GB total)": hwloc's own words. */
static void label_of(hwloc_obj_t object, char text[128]) {
    char type[64], attributes[64];
    hwloc_obj_type_snprintf(type, sizeof(type), object, 0);
    hwloc_obj_attr_snprintf(attributes, sizeof(attributes), object, " ", 0);
    bool numbered = object->os_index != HWLOC_UNKNOWN_INDEX;
    const char *attribute = hwloc_obj_type_is_cache(object->type) ? attributes : "";
    /* The size is the first word of a cache's attributes. */
    attributes[strcspn(attributes, " ")] = '\0';
    if (numbered && !*attribute)
        snprintf(text, 128, "%s P#%u", type, object->os_index);
    else
        snprintf(text, 128, "%s%s%s", type, *attribute ? " " : "", attribute);
}

static hwloc_obj_t first_child(hwloc_obj_t object) {
    return object->memory_first_child ? object->memory_first_child : object->first_child;
}

/* Memory first, then what computes; devices are not drawn. */
static hwloc_obj_t next_child(hwloc_obj_t object, hwloc_obj_t child) {
    if (child->next_sibling)
        return child->next_sibling;
    return hwloc_obj_type_is_memory(child->type) ? object->first_child : NULL;
}

/* Draws an object at (x, y), or with `to` NULL only measures it. */
static struct extent draw(hwloc_obj_t object, unsigned x, unsigned y, unsigned depth, FILE *to);

static struct extent draw_children(hwloc_obj_t object, unsigned x, unsigned y, unsigned depth,
                                   FILE *to) {
    struct extent all = {0, 0};
    unsigned left = 0, top = 0, tallest = 0;
    for (hwloc_obj_t child = first_child(object); child; child = next_child(object, child)) {
        struct extent one = draw(child, 0, 0, depth, NULL);
        if (left > 0 && left + one.width > ROW_WIDTH) {
            top += tallest + GAP;
            left = tallest = 0;
        }
        if (to)
            (void)draw(child, x + left, y + top, depth, to);
        left += one.width + GAP;
        tallest = one.height > tallest ? one.height : tallest;
        all.width = left > all.width ? left : all.width;
        all.height = top + tallest;
    }
    all.width = all.width > GAP ? all.width - GAP : 0;
    return all;
}

static struct extent draw(hwloc_obj_t object, unsigned x, unsigned y, unsigned depth, FILE *to) {
    char label[128];
    label_of(object, label);
    struct extent inside = draw_children(object, 0, 0, depth + 1, NULL);
    unsigned text_width = (unsigned)strlen(label) * LETTER;
    struct extent extent = {
        .width = 2 * GAP + (inside.width > text_width ? inside.width : text_width),
        .height = LINE + GAP + (inside.height ? inside.height + GAP : 0),
    };
    if (!to)
        return extent;
    fprintf(to,
            "<rect class=\"t%u\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>"
            "<text x=\"%u\" y=\"%u\">",
            hwloc_obj_type_is_memory(object->type) ? 2 : depth % 2, x, y, extent.width,
            extent.height, x + GAP, y + LINE - 4);
    html_text(to, label);
    fputs("</text>\n", to);
    (void)draw_children(object, x + GAP, y + LINE + 2, depth + 1, to);
    return extent;
}

static int load(const char *path, hwloc_topology_t *ret_topology) {
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology) < 0)
        return -1;
    if (hwloc_topology_set_xml(topology, path) < 0 || hwloc_topology_load(topology) < 0) {
        hwloc_topology_destroy(topology);
        return -1;
    }
    *ret_topology = topology;
    return 0;
}

void topology_draw(const char *xml_path, FILE *to) {
    hwloc_topology_t topology;
    /* hwloc says on standard error what it cannot read; ask first. */
    if (!file_exists(xml_path) || load(xml_path, &topology) < 0)
        return;
    hwloc_obj_t root = hwloc_get_root_obj(topology);
    if (hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU) <= CHILDREN_MAX) {
        struct extent extent = draw(root, 0, 0, 0, NULL);
        fprintf(to,
                "<figure>\n<svg class=\"topology\" viewBox=\"0 0 %u %u\" width=\"%u\" "
                "role=\"img\" aria-label=\"Topology of the machine: %d packages, %d cores, %d "
                "logical CPUs, %d memory nodes\">\n",
                extent.width + 2, extent.height + 2, extent.width + 2,
                hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PACKAGE),
                hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE),
                hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU),
                hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_NUMANODE));
        (void)draw(root, 1, 1, 0, to);
        fputs("</svg>\n<figcaption>The machine as hwloc sees it.</figcaption>\n</figure>\n", to);
    }
    hwloc_topology_destroy(topology);
}
