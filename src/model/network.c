/* network.c: from a description to a graph, through the table of architectures. */
#include "model/network.h"

#include <string.h>

#include "base/memory.h"
#include "model/arch/arch.h"

static const nod_arch *const table[] = {
    &nod_arch_mlp,      &nod_arch_cnn,         &nod_arch_resnet18, &nod_arch_resnet34,
    &nod_arch_resnet50, &nod_arch_densenet121, &nod_arch_layers};
static const char *const names[] = {"mlp",      "cnn",         "resnet18", "resnet34",
                                    "resnet50", "densenet121", "layers",   NULL};

const char *const *nod_network_names(void)
{
    return names;
}

int nod_network_from_json(const nod_json *spec, nod_network **out, nod_error *err)
{
    nod_spec s;
    nod_network *n = nod_calloc(1, sizeof *n);
    if (!n) return nod_fail_memory(err, "network", sizeof *n);
    nod_spec_begin(&s, spec, "network", err);
    if (nod_spec_has(&s, "layers") && !nod_spec_has(&s, "name"))
        nod_spec_fail(&s, "name", "is missing; a list of layers goes with name: layers");
    int which = nod_spec_choice(&s, "name", NULL, names);
    n->arch = table[which];
    nod_style_parse(&n->style, &s, n->arch->norm);
    if (!s.rc) n->arch->parse(n, &s);
    int rc = nod_spec_end(&s, &n->spec);
    if (rc) {
        nod_network_free(n);
        return rc;
    }
    *out = n;
    return 0;
}

void nod_network_free(nod_network *n)
{
    if (!n) return;
    nod_json_free(n->spec);
    nod_free(n);
}

nod_json *nod_network_to_json(const nod_network *n)
{
    nod_json *copy = NULL;
    nod_error err = NOD_ERROR_INIT;
    if (nod_json_copy(n->spec, &copy, &err)) return NULL;
    return copy;
}

const char *nod_network_name(const nod_network *n)
{
    return n->arch->name;
}

int nod_network_build(const nod_network *n, const nod_network_io *io, int64_t batch,
                      bool training, nod_graph *g, int *image, int *logits, nod_error *err)
{
    nod_shape shape =
        io->nd == 3
            ? nod_shape_of(5, batch, io->channels, io->size[0], io->size[1], io->size[2])
            : nod_shape_of(4, batch, io->channels, io->size[1], io->size[2]);
    nod_builder b = {n, io, g, training};
    int x = nod_graph_input(g, "image", shape, false);
    int y = n->arch->build(&b, x, err);
    int rc = nod_graph_check(g, err);
    if (rc) return nod_error_prefix(err, "network '%s'", n->arch->name);
    const nod_shape *got = nod_graph_shape(g, y);
    if (got->rank != 2 || got->dim[1] != io->n_outputs) {
        char text[128];
        return nod_fail(
            err, NOD_ESHAPE,
            "network '%s' ends with shape %s, the task needs [%lld, %lld]: end it with a "
            "dense layer of %lld units",
            n->arch->name, nod_shape_text(got, text, sizeof text), (long long)batch,
            (long long)io->n_outputs, (long long)io->n_outputs);
    }
    nod_graph_output(g, y);
    *image = x;
    *logits = y;
    return 0;
}
