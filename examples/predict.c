/* predict.c: the probability of each class for one image, with the public API alone.
 *
 *   cc predict.c -lnodule ... -o predict && ./predict run/seed_0/model.safetensors scan.png */
#include <stdio.h>
#include <stdlib.h>

#include <nodule/nodule.h>

int main(int argc, char **argv)
{
    nodule_model *model = NULL;
    double *probability = NULL;
    char message[1024] = "";
    int status = EXIT_FAILURE;
    size_t i;

    if (argc != 3) {
        fprintf(stderr, "usage: predict MODEL.safetensors IMAGE\n");
        return 2;
    }
    if (nodule_open(argv[1], &model, message, sizeof message) != 0) goto out;
    probability = calloc(nodule_class_count(model), sizeof *probability);
    if (probability == NULL) goto out;
    if (nodule_predict_file(model, argv[2], probability, message, sizeof message) != 0)
        goto out;
    for (i = 0; i < nodule_class_count(model); i++)
        printf("%s %.4f\n", nodule_class_name(model, i), probability[i]);
    status = EXIT_SUCCESS;
out:
    if (status != EXIT_SUCCESS) fprintf(stderr, "predict: %s\n", message);
    free(probability);
    nodule_close(model);
    return status;
}
