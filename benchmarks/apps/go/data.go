package main

import "fmt"

const variations = 64

type customer struct {
	Name    *string `json:"name" validate:"required,min=1,max=80"`
	Email   *string `json:"email" validate:"required,address"`
	Country *string `json:"country" validate:"required,min=2,max=2"`
}

type line struct {
	SKU       *string `json:"sku" validate:"required,min=3,max=20"`
	Quantity  *int    `json:"quantity" validate:"required,gte=1,lte=999"`
	UnitCents *int    `json:"unit_cents" validate:"required,gte=0"`
}

// Pointers tell what was not sent from what is zero.
type order struct {
	Reference *string   `json:"reference" validate:"required,min=3,max=40"`
	Customer  *customer `json:"customer" validate:"required"`
	Lines     []line    `json:"lines" validate:"required,min=1,dive"`
	Note      string    `json:"note"`
}

type receipt struct {
	Reference  string `json:"reference" validate:"required"`
	Lines      int    `json:"lines"`
	TotalCents int    `json:"total_cents"`
}

func receiptFor(asked *order) receipt {
	total := 0
	for _, line := range asked.Lines {
		total += *line.Quantity * *line.UnitCents
	}
	return receipt{*asked.Reference, len(asked.Lines), total}
}

type product struct {
	ID      int      `json:"id"`
	Name    string   `json:"name"`
	Price   float64  `json:"price"`
	Tags    []string `json:"tags"`
	InStock bool     `json:"in_stock"`
}

type user struct {
	id         int
	name, role string
}

var (
	catalogue = makeCatalogue()
	users     = makeUsers()
)

func makeCatalogue() []product {
	made := make([]product, variations+50)
	for n := range made {
		tags := []string{"new", fmt.Sprintf("shelf-%d", n%7)}
		made[n] = product{n, fmt.Sprintf("Product %d", n), float64(n) + 0.25, tags, n%3 > 0}
	}
	return made
}

func makeUsers() map[string]user {
	made := make(map[string]user, variations)
	for n := range variations {
		made[fmt.Sprintf("token-%d", n)] = user{n, fmt.Sprintf("user%d", n), "staff"}
	}
	return made
}
