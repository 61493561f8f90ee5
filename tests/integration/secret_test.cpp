// Secrets of builds: from the stack file to the step that asks for them.

#include "sys/file.h"
#include "tests/integration/world.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace stack::test {
namespace {

constexpr const char* shop_file = R"(
name: shop
services:
  app:
    build:
      context: .
      dockerfile_inline: |
        FROM busybox
        RUN --mount=type=secret,id=s1,required=true cp /run/secrets/s1 /one
        RUN --mount=type=secret,id=id2,required=true cp /run/secrets/id2 /two
        RUN --mount=type=secret,id=var,env=VALUE,required=true echo $$VALUE > /three
      secrets: [s1, {source: s1, target: id2}, var]
    command: cat /one /two /three
secrets:
  s1: {file: ./s1}
  var: {environment: SECRET_OF_BUILD}
)";

class Secret : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", shop_file);
        stack_.write(".env", "SECRET_OF_BUILD=of-the-environment\n");
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "1", "--rmi", "local"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    StackProgram stack_;
};

TEST_F(Secret, OfAFileOrAVariableReachesTheBuild) {
    stack_.write("s1", "of-the-file\n");
    stack_.must({"up", "-d"});
    EXPECT_TRUE(eventually([&] {
        return stack_.must({"logs", "--no-log-prefix", "app"}) ==
               "of-the-file\nof-the-file\nof-the-environment\n";
    }));
}

TEST_F(Secret, OfAPipeHoldsNoStartUp) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  app: {image: busybox, command: sleep 1000, secrets: [s1]}
secrets:
  s1: {file: ./s1}
)");
    const std::string pipe = stack_.directory() + "/s1";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const sys::Fd silent = sys::open_file(pipe, O_RDWR);
    const auto failed = stack_.run({"up", "-d"});
    EXPECT_NE(failed.status, 0);
    EXPECT_NE(failed.err.find("s1 is a pipe, which is read once"), std::string::npos) << failed.err;
}

TEST_F(Secret, OfAFileThatIsNotThereIsAnError) {
    const auto failed = stack_.run({"build"});
    EXPECT_NE(failed.status, 0);
    EXPECT_NE((failed.out + failed.err).find("s1 of the build secret s1 does not exist"),
              std::string::npos)
        << failed.err;
}

}  // namespace
}  // namespace stack::test
