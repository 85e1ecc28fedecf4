"""Differences from FastAPI that are known and open: the end of a test's id, and the behaviour that differs."""

_TESTS: dict[str, list[str]] = {
    "an edit of a route's convertors is not noticed": [
        "TestLiveEdits::test_one_edit[param_convertors]",
    ],
    "routes removed from an included router disappear at once, in FastAPI when a route is added": [
        "TestLiveEdits::test_one_edit[included routes]",
        "TestLiveEdits::test_one_edit[included replace]",
    ],
    "an edit without effect gets one with the next edit that has one": [
        "TestLiveEdits::test_an_edit_without_effect_has_none_after_another_edit[append-path]",
        "TestLiveEdits::test_an_edit_without_effect_has_none_after_another_edit[append-response_class]",
        "TestLiveEdits::test_an_edit_without_effect_has_none_after_another_edit[append-status_code]",
        "TestLiveEdits::test_an_edit_without_effect_has_none_after_another_edit[dependency set-path]",
        "TestLiveEdits::test_an_edit_without_effect_has_none_after_another_edit[dependency set-response_class]",
        "TestLiveEdits::test_an_edit_without_effect_has_none_after_another_edit[dependency set-status_code]",
        "TestLiveEdits::test_an_edit_without_effect_has_none_after_another_edit[app-path]",
    ],
    "methods edited in place are noticed only where the route is asked": [
        "TestLiveEdits::test_methods_edited_in_place[methods add-insert]",
        "TestLiveEdits::test_methods_edited_in_place[methods add-reverse]",
        "TestLiveEdits::test_methods_edited_in_place[methods add-methods clear]",
        "TestLiveEdits::test_methods_edited_in_place[methods clear-insert]",
        "TestLiveEdits::test_methods_edited_in_place[methods clear-reverse]",
        "TestLiveEdits::test_methods_edited_in_place[methods clear-methods set]",
    ],
    "solve_dependencies gives no values along with errors": [
        "TestPublicFunctions::test_solve_dependencies[a=x&r=2]",
        "TestPublicFunctions::test_solve_dependencies[]",
    ],
}

OPEN: dict[str, str] = {name: reason for reason, names in _TESTS.items() for name in names}
