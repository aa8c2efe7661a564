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
closed: shut, finished
cancelled: called off
delivered: arrived
paid: settled
signed: agreed
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
total: overall
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
