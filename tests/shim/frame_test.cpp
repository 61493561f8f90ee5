#include "shim/frame.h"

#include <gtest/gtest.h>

namespace stack::shim {
namespace {

TEST(Frames, ArriveWholeHoweverTheStreamIsCut) {
    std::string stream;
    append_frames(stream, FrameKind::output, std::string(40'000, 'a'));
    append_frame(stream, FrameKind::end, "");
    append_frame(stream, FrameKind::exit, "\7");
    for (const std::size_t piece : {1U, 7U, 1000U, 100'000U}) {
        FrameReader reader;
        std::string output;
        std::string kinds;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            reader.add(std::string_view(stream).substr(at, piece));
            while (const auto frame = reader.next()) {
                kinds += static_cast<char>(frame->kind);
                output += frame->payload;
            }
        }
        EXPECT_EQ(kinds, "ooozx") << piece;
        EXPECT_EQ(output, std::string(40'000, 'a') + "\7") << piece;
        EXPECT_FALSE(reader.is_broken());
    }
}

TEST(Frames, OfUnknownKindOrTooLongBreakTheStream) {
    FrameReader unknown;
    unknown.add(std::string_view("?\0\0", 3));
    EXPECT_FALSE(unknown.next());
    EXPECT_TRUE(unknown.is_broken());
    FrameReader too_long;
    too_long.add("i\xff\xff");
    EXPECT_FALSE(too_long.next());
    EXPECT_TRUE(too_long.is_broken());
}

TEST(Frames, OfNothingAreNone) {
    std::string stream;
    append_frames(stream, FrameKind::input, "");
    EXPECT_EQ(stream, "");
}

TEST(TerminalSizes, ComeBackAsTheyWere) {
    const auto size = decode_size(encode(TerminalSize{300, 65'535}));
    ASSERT_TRUE(size);
    EXPECT_EQ(size->rows, 300);
    EXPECT_EQ(size->columns, 65'535);
    EXPECT_FALSE(decode_size("abc"));
}

}  // namespace
}  // namespace stack::shim
