#include "base/digest.h"

#include "base/text.h"

#include <algorithm>
#include <array>

// The function itself and not EVP's: that one reads openssl.cnf and builds tables of every algorithm
// there is, a third of what a short command costs, and OpenSSL would be a third of the program.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

namespace stack {

struct Sha256::State {
    SHA256_CTX context;

    State() { SHA256_Init(&context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    SHA256_Update(&state_->context, bytes.data(), bytes.size());
}

std::string Sha256::finish() {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> bytes{};
    SHA256_Final(bytes.data(), &state_->context);
    return to_hex(std::string(bytes.begin(), bytes.end()));
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 digest;
    digest.update(bytes);
    return digest.finish();
}

bool is_digest(std::string_view text) {
    constexpr std::string_view prefix = "sha256:";
    return text.size() == prefix.size() + 64 && text.starts_with(prefix) &&
           std::all_of(text.begin() + prefix.size(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

}  // namespace stack
