#include "base/base64.h"

#include <gtest/gtest.h>

namespace stack {

TEST(Base64, IsWhatRfc4648Says) {
    const std::pair<const char*, const char*> examples[]{{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"user:päss", "dXNlcjpww6Rzcw=="}};
    for (const auto& [bytes, text] : examples) {
        EXPECT_EQ(base64_encode(bytes), text);
        EXPECT_EQ(base64_decode(text), bytes);
    }
    EXPECT_EQ(base64_decode("Zm9vYg"), "foob") << "without padding";
}

}  // namespace stack
