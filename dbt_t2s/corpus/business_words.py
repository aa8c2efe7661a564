"""Other words for what businesses keep data about, as people use them: general English.

Each line says what a word may be replaced by where the project itself does not use that word for
something else. Only words that mean the same in most businesses stand here, in one direction:
"turnover" is said for revenue, but a column called turnover may be one of staff.
"""

from __future__ import annotations

_NOUNS = """
revenue: sales, turnover, income, takings
turnover: sales, revenue
profit: earnings, gain
spend: spending, cost, expenses
expense: cost, spending
price: cost
discount: rebate, reduction
fee: charge
wage: pay
refund: money back
debt: money owed
quantity: number of units, qty
customer: client, buyer, shopper
client: customer
guest: visitor
staff: personnel
worker: employee
manager: boss
supplier: vendor
vendor: supplier
courier: carrier
carrier: courier
agent: rep, representative
student: pupil
pupil: student
teacher: instructor
doctor: physician
physician: doctor
applicant: candidate
candidate: applicant
order: purchase
purchase: order
product: item, article
item: article, product
article: item
goods: products
store: shop, branch, outlet
shop: store, outlet
branch: location
outlet: shop
warehouse: depot
depot: warehouse
shipment: delivery
package: parcel
invoice: bill
bill: invoice
contract: agreement
agreement: contract
booking: reservation
reservation: booking
ticket: case, request
campaign: promotion, promo
promotion: promo, campaign
offer: deal
coupon: voucher
voucher: coupon
review: rating, feedback
survey: questionnaire
rating: score, grade
score: rating, points
category: group, kind
kind: type
segment: group
region: area, territory
area: region
city: town, place
town: city
country: nation
postcode: zip code
cause: reason
topic: subject, theme
subject: topic
channel: source
source: origin
priority: urgency
level: tier
tier: level
position: role
role: position
color: colour
duration: length, time taken
email: mail, e-mail, mail address
phone: phone number, telephone
comment: remark, note
note: remark, comment
remark: comment
car: vehicle
trip: journey
journey: trip
department: dept, division
company: firm, business
firm: company
stock: inventory
inventory: stock
defect: fault
fault: defect
repair: fix
inspection: check
donation: gift
hour: hrs
minute: mins
kilometre: km
average: mean, avg
planned: scheduled
yearly: annual
opened: started
ended: finished
cancelled: called off
delivered: arrived
paid: settled
employee: worker, staff member, colleague
cost: expense, spend
amount: sum, value
budget: planned spend
brand: make
model: version
office: site
salary: pay, wage
location: place, site
reason: cause
incident: event
type: kind
parcel: package
deadline: due date
created: set up
received: arrived
percentage: percent, pct
stage: phase, step
status: state
shipped: sent, dispatched
"""

WORDS: dict[str, tuple[str, ...]] = {
    word: tuple(other.strip() for other in others.split(","))
    for word, _, others in (line.partition(": ") for line in _NOUNS.strip().splitlines())
}

# Rows of tables so called are people: one asks "who", and they are "people who".
PEOPLE = frozenset(
    """
    accountant actor adviser agent applicant apprentice artist athlete attendee auditor author
    borrower boss broker buyer caller candidate carer caretaker cashier chef child citizen
    cleaner client coach colleague commuter consultant contact contractor courier creator
    customer deputy designer developer director doctor donor driver editor employee engineer
    evaluator expert farmer fan founder freelancer graduate guardian guest guide head host
    inspector instructor intern interviewer inventor investor judge landlord lawyer lead leader
    lecturer lender librarian manager mechanic member mentor midwife musician negotiator nurse
    official operator organiser owner parent participant partner passenger patient patron payee
    payer person personnel pharmacist photographer physician physiotherapist pilot planner
    player politician professor programmer publisher pupil recruiter referee rep representative
    researcher resident reviewer rider salesperson scientist secretary seller shareholder
    shopper singer speaker staff student subscriber supervisor surgeon teacher technician tenant
    therapist trader trainee trainer translator traveller trustee tutor user vet veteran victim
    visitor volunteer voter waiter winner witness worker writer
    """.split()
)

# What such rows do on their usual day: "how many orders were placed in May".
_HAPPENS = """
order: were placed, came in, did we get, were made
purchase: were made
sale: were made, did we make
payment: were made, came in, did we receive
booking: were made, came in, did we get
reservation: were made, came in
appointment: were made
ticket: were opened, came in, did we get
case: were opened, came in
request: came in, were made, did we get
claim: were made, came in, were filed
complaint: came in, did we get, were made
review: were written, came in, did we get
survey: were answered, came back
invoice: were issued, did we write
bill: were issued, did we write
refund: were made, did we give
return: came back, were made
shipment: were sent, went out
parcel: were sent, went out
delivery: were made
call: were made, came in
visit: were made, did we have
session: were started, took place, did we have
trip: were made, took place
ride: were made, took place
flight: took off, took place
event: took place, did we have
meeting: took place, did we have
course: took place
lesson: took place, were given
contract: were signed, did we sign
agreement: were signed
subscription: were started, were taken out, did we sell
membership: were started, did we sell
donation: were made, came in, did we get
application: were made, came in, did we get
offer: were made, did we make
deal: were closed, did we close
lead: came in, did we get
incident: happened, took place, did we have
outage: happened, did we have
accident: happened, did we have
fault: happened, occurred, did we have
defect: were found, occurred
inspection: were made, took place
repair: were made, were done
task: were created
customer: did we win, joined, did we gain
client: did we win, joined, did we gain
member: joined, did we gain
user: joined, signed up
employee: did we hire, started
message: were sent, came in
email: were sent, went out
transaction: were made, took place
loan: were granted, did we grant
campaign: were started, did we run
"""
# Participles of verbs without an object: customers "joined", they were not joined.
ALONE = frozenset("joined started ended expired arrived finished".split())
HAPPENS: dict[str, tuple[str, ...]] = {
    noun: tuple(each.strip() for each in verbs.split(","))
    for noun, _, verbs in (line.partition(": ") for line in _HAPPENS.strip().splitlines())
}

# Rows of tables so called last: "products in July" leaves open what they did then.
_THINGS = frozenset(
    """
    account animal article asset brand building campaign car card chapter contract course dataset
    department device domain duty facility feature flat house item licence license machine
    membership model operation pet plan policy portfolio product programme project promotion
    provider qualification room route server service song subscription title unit vehicle
    """.split()
)

# Rows of tables so called are places: sales "at" a store, but not "at" a campaign.
PLACES = frozenset(
    """
    airport bar branch cafe campus center centre church clinic club depot dock factory farm garage
    gym hospital hotel house hub laboratory library location market mine museum office outlet park
    pharmacy plant port practice property restaurant resort salon school shop showroom site stadium
    station store studio terminal theatre university venue warehouse workshop yard zoo
    """.split()
)

LASTING = PEOPLE | PLACES | _THINGS
