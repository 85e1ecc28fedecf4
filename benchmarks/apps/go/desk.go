package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The dispatcher's desk: some of the shapes of real services.

var deskCalls = func() map[string]*atomic.Int64 {
	made := map[string]*atomic.Int64{}
	for _, name := range []string{
		"status", "book", "offer", "search", "manifest", "shipment", "my shipment", "whoami", "rates", "labels", "invoice",
		"customs", "current user", "announced", "session opened", "committed", "session closed",
	} {
		made[name] = &atomic.Int64{}
	}
	return made
}()

func counted(name string) { deskCalls[name].Add(1) }

// reply writes value as JSON, as it is: without HTML's escapes.
func reply(w http.ResponseWriter, status int, value any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	sent := bytes.TrimSuffix(body.Bytes(), []byte("\n"))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(sent)))
	w.WriteHeader(status)
	w.Write(sent)
}

// within opens a session before a handler and closes it afterwards.
func within(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		counted("session opened")
		defer counted("session closed")
		next(w, r)
		counted("committed")
	}
}

// forUsers lets in who has a token.
func forUsers(next func(user, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "bearer") {
			w.Header().Set("WWW-Authenticate", "Bearer")
			reply(w, http.StatusUnauthorized, refusal{"Not authenticated"})
			return
		}
		counted("current user")
		who, known := dispatchers[token]
		if !known {
			w.Header().Set("WWW-Authenticate", "Bearer")
			reply(w, http.StatusUnauthorized, refusal{"Unknown token"})
			return
		}
		if who.role != "active" {
			reply(w, http.StatusForbidden, refusal{"Locked"})
			return
		}
		next(who, w, r)
	}
}

// numbered reads the last segment of the path.
func numbered(next func(int, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.PathValue("number"))
		if err != nil {
			reply(w, http.StatusUnprocessableEntity, notANumber("path", "number", r.PathValue("number")))
			return
		}
		next(number, w, r)
	}
}

func deskStatus(w http.ResponseWriter, r *http.Request) {
	counted("status")
	reply(w, http.StatusOK, struct {
		Desk    string `json:"desk"`
		Open    bool   `json:"open"`
		Waiting int    `json:"waiting"`
	}{"north", true, 3})
}

// readBooking reads and validates the body, or answers that it is not valid.
func readBooking(w http.ResponseWriter, r *http.Request) (*booking, bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil, false
	}
	asked := &booking{}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(asked); err != nil {
		reply(w, http.StatusUnprocessableEntity, notJSON(err))
		return nil, false
	}
	if err := validate.Struct(asked); err != nil {
		reply(w, http.StatusUnprocessableEntity, problems(err, "body", body))
		return nil, false
	}
	asked.Pickup.Country = strings.ToUpper(asked.Pickup.Country)
	asked.Delivery.Country = strings.ToUpper(asked.Delivery.Country)
	return asked, true
}

func confirm(asked *booking) confirmation {
	var kilograms decimal
	for _, piece := range asked.Pieces {
		kilograms = kilograms.plus(piece.Kilograms)
	}
	freight := kilograms.times(decimal{2, 0})
	handling := decimal{int64(len(asked.Handling)), 0}
	slices.Sort(asked.Handling)
	return confirmation{
		ID:        asked.ID,
		Service:   asked.Service,
		Departs:   asked.Ready.Add(4 * time.Hour),
		Due:       asked.Latest.Format(time.DateOnly),
		Kilograms: kilograms,
		Charges:   []charge{{"freight", freight}, {"handling", handling}},
		Gross:     freight.plus(handling).times(withVAT),
		Handling:  asked.Handling,
		Tracking:  "T" + strings.ReplaceAll(asked.ID, "-", "")[:10],
	}
}

func offer(w http.ResponseWriter, r *http.Request) {
	if asked, valid := readBooking(w, r); valid {
		counted("offer")
		reply(w, http.StatusOK, confirm(asked))
	}
}

func book(who user, w http.ResponseWriter, r *http.Request) {
	within(func(w http.ResponseWriter, r *http.Request) {
		if asked, valid := readBooking(w, r); valid {
			counted("book")
			reply(w, http.StatusCreated, confirm(asked))
			go counted("announced")
		}
	})(w, r)
}

// atMost reads a number of the query that is not negative.
func atMost(given string, otherwise, limit int) (int, error) {
	if given == "" {
		return otherwise, nil
	}
	number, err := strconv.Atoi(given)
	if err == nil && (number < 0 || number > limit) {
		err = strconv.ErrRange
	}
	return number, err
}

func part(rows []listed, start, length int) []listed {
	return rows[min(start, len(rows)):min(start+length, len(rows))]
}

func searchShipments(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	rows := shipments
	state := query.Get("state")
	if state != "" {
		rows = byState[state]
	}
	_, sinceErr := time.Parse(time.DateOnly, query.Get("since"))
	for _, one := range query["carriers"] {
		if _, err := strconv.Atoi(one); err != nil {
			reply(w, http.StatusUnprocessableEntity, notANumber("query", "carriers", one))
			return
		}
	}
	offset, offsetErr := atMost(query.Get("offset"), 0, len(shipments))
	limit, limitErr := atMost(query.Get("limit"), 20, 1000)
	order := query.Get("order")
	if rows == nil || (query.Has("since") && sinceErr != nil) || offsetErr != nil || limitErr != nil ||
		(order != "" && order != "oldest" && order != "newest") {
		reply(w, http.StatusUnprocessableEntity, notANumber("query", "search", r.URL.RawQuery))
		return
	}
	counted("search")
	reply(w, http.StatusOK, part(rows, offset, limit))
}

func manifest(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	start, startErr := atMost(query.Get("start"), 0, len(shipments))
	length, lengthErr := atMost(query.Get("length"), 20, len(shipments))
	if startErr != nil || lengthErr != nil || !query.Has("start") {
		reply(w, http.StatusUnprocessableEntity, notANumber("query", "start", r.URL.RawQuery))
		return
	}
	counted("manifest")
	reply(w, http.StatusOK, part(shipments, start, length))
}

// showShipment counts the call under a name.
func showShipment(name string) http.HandlerFunc {
	return within(numbered(func(number int, w http.ResponseWriter, r *http.Request) {
		counted(name)
		if number < 0 || number >= len(shipments) {
			reply(w, http.StatusNotFound, refusal{"No such shipment"})
			return
		}
		reply(w, http.StatusOK, shipments[number].withCarrier())
	}))
}

func whoami(w http.ResponseWriter, r *http.Request) {
	counted("whoami")
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	reply(w, http.StatusOK, struct {
		Client string `json:"client"`
		Path   string `json:"path"`
		Host   string `json:"host"`
	}{r.Header.Get("X-Client"), r.URL.Path, host})
}

func rates(zone int, w http.ResponseWriter, r *http.Request) {
	counted("rates")
	w.Header().Set("X-Valid-Days", "7")
	base := json.RawMessage(strconv.FormatFloat(float64(zone)*1.5, 'f', 1, 64))
	reply(w, http.StatusOK, struct {
		Zone     int             `json:"zone"`
		Base     json.RawMessage `json:"base"`
		Currency string          `json:"currency"`
	}{zone, base, "EUR"})
}

func labels(number int, w http.ResponseWriter, r *http.Request) {
	counted("labels")
	w.Header().Set("Content-Type", "application/octet-stream")
	flusher := http.NewResponseController(w)
	for page := range 20 {
		label := fmt.Sprintf("^XA^FO50,%02d^FDlabel %d-%d^FS", page, number, page)
		io.WriteString(w, label+strings.Repeat(".", 1023-len(label))+"\n")
		if flusher.Flush() != nil {
			return
		}
	}
}

func invoice(number int, w http.ResponseWriter, r *http.Request) {
	counted("invoice")
	if number < 1000 {
		reply(w, http.StatusNotFound, refusal{fmt.Sprintf("No invoice %d", number)})
		return
	}
	reply(w, http.StatusOK, map[string]int{"number": number})
}

func customs(number int, w http.ResponseWriter, r *http.Request) {
	counted("customs")
	time.Sleep(time.Millisecond)
	reply(w, http.StatusOK, struct {
		Number  int  `json:"number"`
		Cleared bool `json:"cleared"`
	}{number, number%2 == 0})
}

func addDesk(mux *http.ServeMux) {
	mine := showShipment("my shipment")
	mux.HandleFunc("GET /status", deskStatus)
	mux.HandleFunc("POST /bookings", forUsers(book))
	mux.HandleFunc("POST /offers", offer)
	mux.HandleFunc("GET /shipments", searchShipments)
	mux.HandleFunc("GET /manifest", manifest)
	mux.HandleFunc("GET /shipments/{number}", showShipment("shipment"))
	mux.HandleFunc("GET /my/shipments/{number}", forUsers(func(who user, w http.ResponseWriter, r *http.Request) { mine(w, r) }))
	mux.HandleFunc("GET /whoami", whoami)
	mux.HandleFunc("GET /rates/{number}", numbered(rates))
	mux.HandleFunc("GET /labels/{number}", numbered(labels))
	mux.HandleFunc("GET /invoices/{number}", numbered(invoice))
	mux.HandleFunc("GET /customs/{number}", numbered(customs))
}
