package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// decimal is a number with so many digits after the point.
type decimal struct {
	digits int64
	scale  int
}

var errDecimal = errors.New("not a decimal number")

func (d *decimal) UnmarshalJSON(sent []byte) error {
	whole, fraction, _ := strings.Cut(strings.Trim(string(sent), `"`), ".")
	digits, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return errDecimal
	}
	*d = decimal{digits, len(fraction)}
	return nil
}

func (d decimal) MarshalJSON() ([]byte, error) {
	text := fmt.Sprintf("%0*d", d.scale+1, d.digits)
	if d.scale > 0 {
		text = text[:len(text)-d.scale] + "." + text[len(text)-d.scale:]
	}
	return []byte(`"` + text + `"`), nil
}

func (d decimal) to(scale int) decimal {
	for d.scale < scale {
		d = decimal{d.digits * 10, d.scale + 1}
	}
	return d
}

func (d decimal) plus(other decimal) decimal {
	scale := max(d.scale, other.scale)
	return decimal{d.to(scale).digits + other.to(scale).digits, scale}
}

func (d decimal) times(other decimal) decimal {
	return decimal{d.digits * other.digits, d.scale + other.scale}
}

var withVAT = decimal{119, 2}

type place struct {
	Company  string `json:"company" validate:"min=2,max=60"`
	Street   string `json:"street" validate:"required"`
	Postcode string `json:"postcode" validate:"postcode"`
	Country  string `json:"country" validate:"len=2"`
}

type piece struct {
	Barcode   string  `json:"barcode" validate:"uuid"`
	Kilograms decimal `json:"kilograms" validate:"gt=0"`
	Declared  decimal `json:"declared" validate:"gte=0"`
	Fragile   bool    `json:"fragile"`
}

type booking struct {
	ID       string    `json:"id" validate:"uuid"`
	Service  string    `json:"service" validate:"oneof=economy standard express"`
	Pickup   place     `json:"pickup"`
	Delivery place     `json:"delivery"`
	Ready    time.Time `json:"ready"`
	Latest   time.Time `json:"latest" validate:"gtfield=Ready"`
	Pieces   []piece   `json:"pieces" validate:"min=1,max=40,dive"`
	Handling []string  `json:"handling" validate:"unique"`
	Remark   *string   `json:"remark"`
}

type charge struct {
	Label string  `json:"label"`
	Net   decimal `json:"net"`
}

type confirmation struct {
	ID        string    `json:"id"`
	Service   string    `json:"service"`
	Departs   time.Time `json:"departs"`
	Due       string    `json:"due"`
	Kilograms decimal   `json:"kilograms"`
	Charges   []charge  `json:"charges"`
	Gross     decimal   `json:"gross"`
	Handling  []string  `json:"handling"`
	Tracking  string    `json:"tracking"`
}

type carrier struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// listed is what a list shows of a shipment.
type listed struct {
	ID        int       `json:"id"`
	Reference string    `json:"reference"`
	State     string    `json:"state"`
	Kilograms decimal   `json:"kilograms"`
	Insured   bool      `json:"insured"`
	BookedAt  time.Time `json:"booked_at"`
	CarrierID int       `json:"carrier_id"`
}

// shipment is what is shown of one.
type shipment struct {
	ID        int       `json:"id"`
	Reference string    `json:"reference"`
	State     string    `json:"state"`
	Kilograms decimal   `json:"kilograms"`
	Insured   bool      `json:"insured"`
	BookedAt  time.Time `json:"booked_at"`
	Carrier   carrier   `json:"carrier"`
}

var (
	states      = []string{"planned", "moving", "delivered"}
	shipments   = makeShipments()
	byState     = makeByState()
	dispatchers = makeDispatchers()
)

func makeShipments() []listed {
	firstDay := time.Date(2026, 3, 2, 6, 30, 0, 0, time.UTC)
	made := make([]listed, 1100)
	for n := range made {
		kilograms := decimal{int64(n * 37 % 9000), 1}
		if kilograms.digits%10 == 0 {
			kilograms = decimal{kilograms.digits / 10, 0}
		}
		booked := firstDay.Add(time.Duration(37*n) * time.Minute)
		made[n] = listed{n, fmt.Sprintf("AWB-%07d", n), states[n%3], kilograms, n%4 == 0, booked, n % 7}
	}
	return made
}

func makeByState() map[string][]listed {
	made := map[string][]listed{}
	for _, one := range shipments {
		made[one.State] = append(made[one.State], one)
	}
	return made
}

func makeDispatchers() map[string]user {
	made := make(map[string]user, variations)
	for n := range variations {
		made[fmt.Sprintf("eyJ.%04d.sig", n)] = user{n, fmt.Sprintf("dispatcher%d", n), "active"}
	}
	return made
}

func (s listed) withCarrier() shipment {
	name := fmt.Sprintf("Spedition %d & Co.", s.CarrierID)
	return shipment{s.ID, s.Reference, s.State, s.Kilograms, s.Insured, s.BookedAt, carrier{s.CarrierID, name}}
}
