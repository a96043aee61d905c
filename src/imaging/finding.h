/* finding.h: what is odd about an image, by name, and what a user decided to do about it.
 *
 * A reader never averages a defect away. It adds a finding; the policy for its kind says whether
 * the image is refused (the default for what would make voxels lie about the patient), taken as
 * it is, or repaired in a named way. A new kind is one line in the table of finding.c. */
#ifndef NOD_IMAGING_FINDING_H
#define NOD_IMAGING_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

typedef enum nod_policy {
    NOD_POLICY_REFUSE,
    NOD_POLICY_ACCEPT,   /* take the image as it is; the finding is listed */
    NOD_POLICY_SPLIT,    /* "split-stacks": each stack is a volume of its own */
    NOD_POLICY_SHEAR,    /* undo the tilt by moving slices */
    NOD_POLICY_RESAMPLE, /* onto an even, orthogonal grid, by the true positions */
    NOD_POLICIES
} nod_policy;

typedef enum nod_finding_kind {
    /* of a series */
    NOD_FINDING_GAP,               /* a slice position is missing inside an even series */
    NOD_FINDING_DUPLICATE,         /* a position twice, and no tag separates them */
    NOD_FINDING_UNEVEN_SPACING,    /* distances between slices differ */
    NOD_FINDING_GANTRY_TILT,       /* slices are shifted along their plane */
    NOD_FINDING_SEVERAL_STACKS,    /* orientations, sizes or distances of several volumes */
    NOD_FINDING_MIXED_SLOPES,      /* rescale differs from slice to slice */
    NOD_FINDING_MISSING_POSITION,  /* no ImagePositionPatient or ImageOrientationPatient */
    NOD_FINDING_MISSING_PHASE,     /* a position lacks some values of the fourth axis */
    NOD_FINDING_LOCALIZER,         /* ImageType LOCALIZER */
    NOD_FINDING_SECONDARY_CAPTURE, /* a screen shot, film scan ... */
    NOD_FINDING_DERIVED,           /* ImageType DERIVED */
    NOD_FINDING_BURNED_IN,         /* BurnedInAnnotation YES */
    NOD_FINDING_MIXED_INTENT,      /* FOR PRESENTATION beside FOR PROCESSING */
    NOD_FINDING_DETECTOR_SPACING,  /* of a projection: millimetres at the detector */
    /* of a file's geometry */
    NOD_FINDING_FORMS_DIFFER,   /* NIfTI: qform and sform are set and disagree */
    NOD_FINDING_NO_ORIENTATION, /* spacing only: not for work that depends on orientation */
    NOD_FINDING_SHEARED,        /* axes are not at right angles */
    NOD_FINDING_BAD_SPACING,    /* zero, negative or not finite */
    /* of its values */
    NOD_FINDING_HEADER_CONFLICT, /* fields of a header contradict each other */
    NOD_FINDING_NOT_FINITE,      /* NaN or infinite voxels */
    NOD_FINDING_ROUNDED,         /* integers that a float cannot hold exactly */
    NOD_FINDING_LOSSY,           /* the pixels went through a lossy compression */
    NOD_FINDING_TRAILING_BYTES,  /* more bytes in the file than its header explains */
    NOD_FINDING_KINDS
} nod_finding_kind;

typedef struct nod_finding_info {
    const char *name;  /* "gantry-tilt" */
    const char *about; /* one line for people */
    unsigned policies; /* bit (1 << nod_policy) for each that makes sense */
    nod_policy preset; /* when the user says nothing */
} nod_finding_info;

const nod_finding_info *nod_finding_get_info(nod_finding_kind kind);
int nod_finding_from_name(const char *name); /* -1: not known */
const char *nod_policy_name(nod_policy p);   /* "refuse", "accept", "split-stacks" ... */
int nod_policy_from_name(const char *name);  /* -1: not known */

/* --- what was found ----------------------------------------------------------------------- */

#define NOD_FINDING_DETAIL 160

typedef struct nod_finding {
    nod_finding_kind kind;
    char detail
        [NOD_FINDING_DETAIL]; /* values (mm, degrees, counts); never names, ids or dates */
} nod_finding;

typedef struct nod_findings {
    nod_finding *items; /* owned */
    size_t n, cap;
} nod_findings;

void nod_findings_done(nod_findings *f);
/* `f` may be NULL: nobody wants to know. Each kind is kept once; its first detail stays. */
int nod_findings_add(nod_findings *f, nod_error *err, nod_finding_kind kind, const char *format,
                     ...) NOD_PRINTF(4, 5) NOD_MUST_CHECK;
bool nod_findings_has(const nod_findings *f, nod_finding_kind kind);

/* --- what is done about it ---------------------------------------------------------------- */

typedef struct nod_policies {
    nod_policy of[NOD_FINDING_KINDS];
} nod_policies;

nod_policies nod_policies_preset(void);
/* {"gantry-tilt": "shear"}; kinds that are not named keep what `out` holds. `where` begins the
 * message. Errors: ERECIPE names the unknown kind, or the policies that make sense. */
int nod_policies_from_json(const nod_json *j, const char *where, nod_policies *out,
                           nod_error *err) NOD_MUST_CHECK;
nod_json *nod_policies_to_json(const nod_policies *p); /* those that are not preset */
/* Adds the finding; EDATA where its policy is refuse: `name` is the case or file, the message
 * has the detail and the policies to choose from. */
int nod_policies_judge(const nod_policies *p, nod_findings *f, const char *name,
                       nod_finding_kind kind, const char *detail,
                       nod_error *err) NOD_MUST_CHECK;

#endif
