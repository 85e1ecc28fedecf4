package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"
)

var (
	validate = makeValidate()
	postcode = regexp.MustCompile(`^[0-9A-Z -]{3,10}$`)
	address  = regexp.MustCompile(`^[^@ ]+@[^@ ]+$`)
)

func makeValidate() *validator.Validate {
	made := validator.New(validator.WithRequiredStructEnabled())
	made.RegisterTagNameFunc(func(field reflect.StructField) string { return field.Tag.Get("json") })
	if err := made.RegisterValidation("address", func(field validator.FieldLevel) bool {
		return address.MatchString(field.Field().String())
	}); err != nil {
		panic(err)
	}
	if err := made.RegisterValidation("postcode", func(field validator.FieldLevel) bool {
		return postcode.MatchString(field.Field().String())
	}); err != nil {
		panic(err)
	}
	made.RegisterCustomTypeFunc(func(field reflect.Value) any {
		return field.Interface().(decimal).digits
	}, decimal{})
	return made
}

// problem is one entry of the document that the peers answer to invalid input.
type problem struct {
	Type    string         `json:"type"`
	Loc     []any          `json:"loc"`
	Msg     string         `json:"msg"`
	Input   any            `json:"input"`
	Context map[string]any `json:"ctx,omitempty"`
}

type document struct {
	Detail []problem `json:"detail"`
}

// location turns a namespace such as order.lines[3].quantity into ["body", "lines", 3, "quantity"].
func location(source, namespace string) []any {
	loc := []any{source}
	_, rest, _ := strings.Cut(namespace, ".")
	for _, part := range strings.Split(rest, ".") {
		name, index, indexed := strings.Cut(strings.TrimSuffix(part, "]"), "[")
		loc = append(loc, name)
		if number, err := strconv.Atoi(index); indexed && err == nil {
			loc = append(loc, number)
		}
	}
	return loc
}

// sent finds what the body has at a location.
func sent(body json.RawMessage, loc []any) json.RawMessage {
	for _, step := range loc {
		switch step := step.(type) {
		case string:
			var object map[string]json.RawMessage
			if json.Unmarshal(body, &object) != nil {
				return nil
			}
			body = object[step]
		case int:
			var list []json.RawMessage
			if json.Unmarshal(body, &list) != nil || step >= len(list) {
				return nil
			}
			body = list[step]
		}
	}
	return body
}

func describe(found validator.FieldError, source string, body json.RawMessage) problem {
	loc := location(source, found.Namespace())
	limit, _ := strconv.Atoi(found.Param())
	of := func(kind, msg, name string, value any) problem {
		return problem{kind, loc, msg, found.Value(), map[string]any{name: value}}
	}
	switch found.Tag() {
	case "required":
		return problem{"missing", loc, "Field required", sent(body, loc[1:len(loc)-1]), nil}
	case "min":
		if found.Kind() == reflect.Slice {
			return of("too_short", fmt.Sprintf("List should have at least %d item after validation", limit), "min_length", limit)
		}
		return of("string_too_short", fmt.Sprintf("String should have at least %d characters", limit), "min_length", limit)
	case "max":
		return of("string_too_long", fmt.Sprintf("String should have at most %d characters", limit), "max_length", limit)
	case "gte":
		return of("greater_than_equal", fmt.Sprintf("Input should be greater than or equal to %d", limit), "ge", limit)
	case "lte":
		return of("less_than_equal", fmt.Sprintf("Input should be less than or equal to %d", limit), "le", limit)
	default:
		pattern := address.String()
		return of("string_pattern_mismatch", fmt.Sprintf("String should match pattern '%s'", pattern), "pattern", pattern)
	}
}

// problems describes what the validator found; body is the JSON that was sent, if it was JSON.
func problems(err error, source string, body json.RawMessage) document {
	var found validator.ValidationErrors
	if !errors.As(err, &found) {
		return document{[]problem{{Type: "value_error", Loc: []any{source}, Msg: err.Error()}}}
	}
	detail := make([]problem, len(found))
	for n, one := range found {
		detail[n] = describe(one, source, body)
	}
	return document{detail}
}

func notANumber(source, name, given string) document {
	msg := "Input should be a valid integer, unable to parse string as an integer"
	return document{[]problem{{Type: "int_parsing", Loc: []any{source, name}, Msg: msg, Input: given}}}
}

func notJSON(err error) document {
	return document{[]problem{{Type: "json_invalid", Loc: []any{"body"}, Msg: err.Error()}}}
}
