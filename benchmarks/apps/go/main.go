// The benchmarks' service on Go's net/http, with encoding/json and go-playground/validator.
//
//	service [-middleware] 127.0.0.1:8000
//
// It routes with net/http's own mux, checks everything that it is sent, and counts what ran.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
)

// The counters that /calls shows.
type counters struct {
	plain, hello, pause, thread, params, login, order, opened, closed, user, guarded, products, thing, mark atomic.Int64
}

var calls counters

func (c *counters) shown() map[string]int64 {
	return map[string]int64{
		"plain": c.plain.Load(), "hello": c.hello.Load(), "pause": c.pause.Load(), "thread": c.thread.Load(),
		"params": c.params.Load(), "login": c.login.Load(), "order": c.order.Load(), "session opened": c.opened.Load(),
		"session closed": c.closed.Load(), "user": c.user.Load(), "guarded": c.guarded.Load(),
		"products": c.products.Load(), "thing": c.thing.Load(), "mark": c.mark.Load(),
	}
}

type greeting struct {
	Message string `json:"message"`
}

// answer writes value as JSON.
func answer(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

func plain(w http.ResponseWriter, r *http.Request) {
	calls.plain.Add(1)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "Hello, world")
}

func hello(w http.ResponseWriter, r *http.Request) {
	calls.hello.Add(1)
	answer(w, http.StatusOK, greeting{"Hello, world"})
}

// pause lets other goroutines run first.
func pause(w http.ResponseWriter, r *http.Request) {
	runtime.Gosched()
	calls.pause.Add(1)
	answer(w, http.StatusOK, greeting{"Hello, world"})
}

// thread is a handler that may block, as any handler in Go.
func thread(w http.ResponseWriter, r *http.Request) {
	calls.thread.Add(1)
	answer(w, http.StatusOK, greeting{"Hello, world"})
}

type params struct {
	ItemID  int    `json:"item_id" validate:"gte=0"`
	Q       string `json:"q" validate:"min=1,max=50"`
	Limit   int    `json:"limit" validate:"gte=1,lte=100"`
	Tag     string `json:"tag" validate:"required"`
	Session string `json:"session" validate:"required"`
}

func readParams(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	itemID, err := strconv.Atoi(r.PathValue("item_id"))
	if err != nil {
		answer(w, http.StatusUnprocessableEntity, notANumber("path", "item_id", r.PathValue("item_id")))
		return
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		answer(w, http.StatusUnprocessableEntity, notANumber("query", "limit", query.Get("limit")))
		return
	}
	session := ""
	if cookie, err := r.Cookie("session"); err == nil {
		session = cookie.Value
	}
	value := params{itemID, query.Get("q"), limit, r.Header.Get("X-Request-Tag"), session}
	if err := validate.Struct(value); err != nil {
		answer(w, http.StatusUnprocessableEntity, problems(err, "parameters", nil))
		return
	}
	calls.params.Add(1)
	answer(w, http.StatusOK, value)
}

type credentials struct {
	Username string `json:"username" validate:"min=1"`
	Password string `json:"password" validate:"min=8"`
}

type loggedIn struct {
	Username string `json:"username"`
	Length   int    `json:"length"`
}

func login(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	form := credentials{r.PostForm.Get("username"), r.PostForm.Get("password")}
	if err := validate.Struct(form); err != nil {
		answer(w, http.StatusUnprocessableEntity, problems(err, "body", nil))
		return
	}
	calls.login.Add(1)
	answer(w, http.StatusOK, loggedIn{form.Username, len(form.Password)})
}

func placeOrder(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var asked order
	if err := json.Unmarshal(body, &asked); err != nil {
		answer(w, http.StatusUnprocessableEntity, notJSON(err))
		return
	}
	if err := validate.Struct(&asked); err != nil {
		answer(w, http.StatusUnprocessableEntity, problems(err, "body", body))
		return
	}
	calls.order.Add(1)
	answered := receiptFor(&asked)
	if err := validate.Struct(&answered); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusCreated, answered)
}

type identity struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

type refusal struct {
	Detail string `json:"detail"`
}

// withSession is the outermost of three levels: something that is opened before and closed after.
func withSession(next func(map[string]user, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		calls.opened.Add(1)
		defer calls.closed.Add(1)
		next(users, w, r)
	}
}

func withUser(next func(user, http.ResponseWriter, *http.Request)) func(map[string]user, http.ResponseWriter, *http.Request) {
	return func(users map[string]user, w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "bearer") {
			w.Header().Set("WWW-Authenticate", "Bearer")
			answer(w, http.StatusUnauthorized, refusal{"Not authenticated"})
			return
		}
		found, known := users[token]
		if !known {
			answer(w, http.StatusUnauthorized, refusal{"Unknown token"})
			return
		}
		calls.user.Add(1)
		next(found, w, r)
	}
}

func staffOnly(next func(user, http.ResponseWriter, *http.Request)) func(user, http.ResponseWriter, *http.Request) {
	return func(who user, w http.ResponseWriter, r *http.Request) {
		if who.role != "staff" {
			answer(w, http.StatusForbidden, refusal{"Not for you"})
			return
		}
		next(who, w, r)
	}
}

func guarded(who user, w http.ResponseWriter, r *http.Request) {
	calls.guarded.Add(1)
	answer(w, http.StatusOK, identity{who.id, who.name})
}

func products(w http.ResponseWriter, r *http.Request) {
	given := r.URL.Query().Get("start")
	start, err := strconv.Atoi(given)
	if err != nil || start < 0 || start > len(catalogue)-50 {
		answer(w, http.StatusUnprocessableEntity, notANumber("query", "start", given))
		return
	}
	calls.products.Add(1)
	answer(w, http.StatusOK, catalogue[start:start+50])
}

func thing(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		answer(w, http.StatusUnprocessableEntity, notANumber("path", "number", r.PathValue("number")))
		return
	}
	calls.thing.Add(1)
	answer(w, http.StatusOK, map[string]int{"number": number})
}

func showCalls(w http.ResponseWriter, r *http.Request) {
	shown := calls.shown()
	for name, count := range deskCalls {
		shown[name] += count.Load()
	}
	answer(w, http.StatusOK, shown)
}

// mark is a middleware around every handler.
func mark(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/calls" {
			calls.mark.Add(1)
		}
		w.Header().Set("X-Served-By", "benchmark")
		next.ServeHTTP(w, r)
	})
}

func routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /plain", plain)
	mux.HandleFunc("GET /hello", hello)
	mux.HandleFunc("GET /pause", pause)
	mux.HandleFunc("GET /thread", thread)
	mux.HandleFunc("GET /items/{item_id}", readParams)
	mux.HandleFunc("POST /login", login)
	mux.HandleFunc("POST /orders", placeOrder)
	mux.HandleFunc("GET /guarded", withSession(withUser(staffOnly(guarded))))
	mux.HandleFunc("GET /products", products)
	mux.HandleFunc("GET /calls", showCalls)
	addDesk(mux)
	for section := range 100 {
		for name := range 5 {
			mux.HandleFunc(fmt.Sprintf("GET /section%02d/thing%d/{number}", section, name), thing)
		}
	}
	return mux
}

func main() {
	middleware := flag.Bool("middleware", false, "put a middleware around every handler")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("service [-middleware] address")
	}
	var handler http.Handler = routes()
	if *middleware {
		handler = mark(handler)
	}
	log.Fatal(http.ListenAndServe(flag.Arg(0), handler))
}
