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

TEST(Annotation, IsAFieldOfAnOutput) {
    StringMap annotations{{"a", "b"}};
    add_annotation_fields({"annotation.a=b",
                           "annotation.org.Example/x=1,2=3",
                           "annotation-manifest.c=",
                           "annotation[linux/amd64].d=1",
                           "annotation-manifest[linux/amd64].org.e=a]."},
                          "linux/amd64",
                          annotations);
    EXPECT_EQ(
        annotations,
        (StringMap{
            {"a", "b"}, {"org.Example/x", "1,2=3"}, {"c", ""}, {"d", "1"}, {"org.e", "a]."}}));
}

TEST(Annotation, AFieldThatHasNoPlaceIsRefused) {
    for (const auto* field : {"annotation.a=b",
                              "annotation.=b",
                              "annotation.b",
                              "annotation-manifest=b",
                              "annotation-index.b=c",
                              "annotation-index-descriptor.b=c",
                              "annotation-manifest-descriptor.b=c",
                              "annotation-layer.b=c",
                              "annotation[linux/arm64].b=c",
                              "annotation[linux.b=c",
                              "annotation-index[linux/amd64].b=c"}) {
        StringMap annotations{{"a", "other"}};
        EXPECT_THROW(add_annotation_fields({field}, "linux/amd64", annotations), Exit) << field;
    }
}

}  // namespace
}  // namespace stack::cli
