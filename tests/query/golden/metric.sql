select sum(amount) as revenue
from marts.orders
