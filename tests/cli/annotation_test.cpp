// --annotation of image build: its words.

#include "cli/annotation.h"

#include "cli/context.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

TEST(Annotation, IsOfTheManifest) {
    EXPECT_EQ(annotations_of({"a=b",
                              "manifest:c=d=e",
                              "manifest[linux/amd64]:f=",
                              "org.example.x:y=1",
                              "org.example/z=u:v"},
                             "linux/amd64"),
              (StringMap{{"a", "b"},
                         {"c", "d=e"},
                         {"f", ""},
                         {"org.example.x:y", "1"},
                         {"org.example/z", "u:v"}}));
}

TEST(Annotation, ThatHasNoPlaceIsRefused) {
    for (const auto* text : {"a",
                             "=b",
                             "manifest:=b",
                             "manifest:a",
                             "index:a=b",
                             "manifest,index:a=b",
                             "manifest-descriptor:a=b",
                             "index-descriptor:a=b",
                             "image:a=b",
                             "manifest[linux/arm64]:a=b",
                             "manifest[linux:a=b"})
        EXPECT_THROW(static_cast<void>(annotations_of({text}, "linux/amd64")), Exit) << text;
}

}  // namespace
}  // namespace stack::cli
