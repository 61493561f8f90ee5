#include <stack/error.h>

#include "model/digest.h"
#include "model/json.h"

#include <gtest/gtest.h>

namespace stack {
namespace {

Service web() {
    Service service;
    service.name = "web";
    service.image = "nginx:1";
    service.environment = {{"DEBUG", "1"}, {"HOME", std::nullopt}};
    service.ports = {{.published = "8080", .target = 80}};
    service.healthcheck = Healthcheck{.test = {"CMD", "true"}, .interval = std::chrono::seconds(5)};
    service.restart.condition = RestartCondition::on_failure;
    service.resources.memory = 64 << 20;
    return service;
}

TEST(Codec, AStackSurvivesItsRecord) {
    Stack stack;
    stack.name = "shop";
    stack.services["web"] = web();
    stack.networks["default"] = {.key = "default", .name = "shop_default"};
    EXPECT_EQ(model::decode_stack(model::encode_stack(stack)), stack);
}

TEST(Codec, ARecordThatIsNoneIsRefusedWithAReason) {
    EXPECT_THROW((void)model::decode_stack("{\"name\":"), Error);
    EXPECT_THROW((void)model::decode_stack("{\"name\":3}"), Error);
}

TEST(ConfigDigest, IgnoresWhatDoesNotMakeAnotherContainer) {
    ContainerSpec spec{.service = web()};
    ContainerSpec other = spec;
    other.service.depends_on["db"] = {};
    other.service.scale = 3;
    other.service.restart.condition = RestartCondition::always;
    other.service.resources.memory = 1;
    other.service.networks["back"].aliases = {"main"};
    EXPECT_EQ(model::config_digest(spec), model::config_digest(other));
    other.service.environment["DEBUG"] = "2";
    EXPECT_NE(model::config_digest(spec), model::config_digest(other));
}

TEST(Changes, NameTheFieldWithBothValues) {
    Service after = web();
    after.environment["DEBUG"] = "2";
    after.ports[0].published = "8081";
    const std::vector<FieldChange> expected{{"environment.DEBUG", "1", "2"},
                                            {"ports.0.published", "8080", "8081"}};
    EXPECT_EQ(model::changes(web(), after), expected);
}

}  // namespace
}  // namespace stack
