#include "engine/image/document.h"

#include <stack/error.h>

#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

/// Goes over a document before it is read. (The library's own way to watch a reading goes over all
/// that an array or object has so far, for each array or object that ends in it.)
class Watch : public nlohmann::json_sax<Json> {
  public:
    explicit Watch(std::string name) : name_(std::move(name)) {}

    bool null() override { return true; }

    bool boolean(bool /*value*/) override { return true; }

    bool number_integer(number_integer_t /*value*/) override { return true; }

    bool number_unsigned(number_unsigned_t /*value*/) override { return true; }

    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }

    bool string(string_t& /*value*/) override { return true; }

    bool binary(binary_t& /*value*/) override { return true; }

    bool start_object(std::size_t /*elements*/) override { return open(); }

    bool key(string_t& value) override {
        if (!keys_.back().insert(value).second)
            throw Error(name_ + " has the key " + Json(value).dump(-1, ' ', true) +
                        " twice: which one counts cannot be said");
        return true;
    }

    bool end_object() override { return close(); }

    bool start_array(std::size_t /*elements*/) override { return open(); }

    bool end_array() override { return close(); }

    bool parse_error(std::size_t /*position*/,
                     const std::string& /*token*/,
                     const nlohmann::detail::exception& /*why*/) override {
        return false;
    }

  private:
    bool open() {
        constexpr std::size_t deepest = 64;
        if (keys_.size() > deepest)
            throw Error(name_ + " is nested more than " + std::to_string(deepest) + " deep");
        keys_.emplace_back();
        return true;
    }

    bool close() {
        keys_.pop_back();
        return true;
    }

    std::string name_;
    std::vector<std::set<std::string>> keys_;  // of each object that is open; none, of an array
};

}  // namespace

Json parse_document(std::string_view text, std::string_view what) {
    Watch watch{std::string(what)};
    if (!Json::sax_parse(text, &watch))
        return Json(Json::value_t::discarded);
    return Json::parse(text, nullptr, false);
}

}  // namespace stack::image
