/*
 * unpack.c - the floor of unpacking layers: on one thread, for each gzip file
 * named, SHA-256 of it, inflate (ISA-L), SHA-256 of what it holds, and that
 * written to a file of DIRECTORY. Prints the seconds of wall and of CPU.
 *   unpack DIRECTORY LAYER.tar.gz...
 */
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIE(what) (perror(what), exit(1))

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void unpack(const char *layer, int out)
{
    static unsigned char plain[1 << 20], digest[EVP_MAX_MD_SIZE];
    struct stat st;
    int in = open(layer, O_RDONLY);
    if (in < 0 || fstat(in, &st) < 0)
        DIE(layer);
    unsigned char *bytes = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, in, 0);
    if (bytes == MAP_FAILED)
        DIE("mmap");
    EVP_Digest(bytes, st.st_size, digest, NULL, EVP_sha256(), NULL);
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
    struct inflate_state state;
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    state.next_in = bytes;
    state.avail_in = st.st_size;
    while (state.block_state != ISAL_BLOCK_FINISH) {
        state.next_out = plain;
        state.avail_out = sizeof plain;
        if (isal_inflate(&state) != ISAL_DECOMP_OK)
            DIE("inflate");
        size_t n = sizeof plain - state.avail_out;
        EVP_DigestUpdate(sum, plain, n);
        if (write(out, plain, n) != (ssize_t)n)
            DIE("write");
    }
    EVP_DigestFinal_ex(sum, digest, NULL);
    EVP_MD_CTX_free(sum);
    munmap(bytes, st.st_size);
    close(in);
}

int main(int argc, char **argv)
{
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 2; i < argc; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%d", argv[1], i);
        int out = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (out < 0)
            DIE(name);
        unpack(argv[i], out);
        close(out);
    }
    printf("%f %f\n", seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}
