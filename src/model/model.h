/* model.h: a model is one file: weights and everything needed to use them honestly.
 *
 * Metadata (JSON strings in the safetensors header): format version, network description, input
 * (network_io), preprocessing contract, task, class names, positive class, prior correction,
 * calibration, operating point, kernel table, provenance (version, command, seed, recipe and
 * split hashes, ledger anchor, looks before training). docs/formats/model.md. */
#ifndef NOD_MODEL_MODEL_H
#define NOD_MODEL_MODEL_H

#include "model/network.h"
#include "model/params.h"

typedef struct nod_model {
    nod_network *network;
    nod_network_io io;
    nod_params *params;
    /* Opaque here, owned: each layer above reads its own part. Never NULL after read (may be an
     * empty object). */
    nod_json *contract; /* imaging/contract.h */
    nod_json *answer;   /* task, classes, positive, prior correction, calibration, threshold */
    nod_json *provenance;
    nod_json *kernels; /* kernel table of the run */
} nod_model;

/* Network and parameters from a description, drawn from `seed`; JSON parts empty objects. */
int nod_model_new(const nod_json *network_spec, const nod_network_io *io, uint64_t seed,
                  nod_model **out, nod_error *err) NOD_MUST_CHECK;
void nod_model_free(nod_model *m);
/* EFORMAT also where the file has no hash of itself, or another one. */
int nod_model_read(const char *path, nod_model **out, nod_error *err) NOD_MUST_CHECK;
/* From memory, for fuzzing: a hash that is there must fit, but none needs to be. */
int nod_model_parse(const void *bytes, size_t size, const char *name, nod_model **out,
                    nod_error *err) NOD_MUST_CHECK;
int nod_model_write(const nod_model *m, const char *path, nod_error *err) NOD_MUST_CHECK;

/* A frozen forward plan for one batch size: image in, logits out. */
typedef struct nod_forward {
    nod_plan *plan;
    int image, logits; /* values to bind or read */
    int64_t batch;
} nod_forward;
int nod_model_forward(const nod_model *m, int64_t batch, const nod_plan_options *o,
                      nod_forward *out, nod_error *err) NOD_MUST_CHECK;
void nod_forward_done(nod_forward *f);

#endif
