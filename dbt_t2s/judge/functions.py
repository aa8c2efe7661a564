"""The functions that model-written SQL may call; whatever is not here is refused.

Left out on purpose: files, network, settings, metadata, sequences, randomness (an answer must be
the same the next time), sleeping, and those whose one call can take more time or memory than any
limit notices (``repeat``, edit distances).
"""

from __future__ import annotations

_OPERATORS = """
! !~~ !~~* !~~~ % & && * ** + - ->> -> / // << <=> >> @ ^ ^@ | || ~ ~~ ~~* ~~~ !__postfix <@ @>
like_escape not_like_escape ilike_escape not_ilike_escape __between __cast add subtract multiply
divide mod xor row struct_pack list_value array_extract list_extract struct_extract
struct_extract_at array_slice list_slice map_extract map_extract_value element_at
"""
_LOGIC = """
coalesce nullif ifnull if iff case greatest least error_on_null constant_or_null isfinite isinf
isnan bool_and bool_or typeof try not and or exists any all in between cast try_cast
"""
_NUMBERS = """
abs acos acosh asin asinh atan atan2 atanh cbrt ceil ceiling cos cosh cot degrees even exp
factorial fdiv floor fmod gamma gcd greatest_common_divisor lcm least_common_multiple lgamma ln
log log10 log2 nextafter pi pow power radians round round_even roundbankers sign signbit sin sinh
sqrt tan tanh trunc bit_count bit_and bit_or bit_xor width_bucket equi_width_bins div
"""
_TEXT = """
ascii bar base64 bit_length char_length character_length chr concat concat_ws contains ends_with
format formatreadabledecimalsize formatreadablesize format_bytes hash hex initcap instr lcase left
left_grapheme len length length_grapheme lower lpad ltrim md5 nfc_normalize octet_length ord
position prefix printf regexp_escape regexp_extract regexp_extract_all regexp_full_match
regexp_matches regexp_replace regexp_split_to_array regexp_like regexp_substr replace reverse
right right_grapheme rpad rtrim sha1 sha256 split split_part starts_with str_split str_split_regex
string_split string_split_regex string_to_array regexp_split_to_table strip_accents strlen strpos
substr substring substring_grapheme suffix to_base to_base64 from_base64 to_hex translate trim
ucase unhex unicode upper overlay regexp_split pad collate like ilike similar_to jaccard
"""
_DATES = """
age century current_date current_localtime current_localtimestamp current_time current_timestamp
get_current_time get_current_timestamp date date_add date_diff date_part date_sub date_trunc
datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month
decade epoch epoch_ms epoch_ns epoch_us era extract hour isodow isoyear julian last_day localtime
localtimestamp make_date make_time make_timestamp make_timestamptz microsecond millennium
millisecond minute month monthname nanosecond now normalized_interval quarter second strftime
strptime time_bucket timestamp timezone timezone_hour timezone_minute to_centuries to_date to_days
to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters
to_seconds to_timestamp to_weeks to_years to_char today transaction_timestamp try_strptime week
weekday weekofyear year yearweek interval date_bin at_time_zone
"""
_AGGREGATES = """
any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null
arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg avg
bitstring_agg corr count count_if count_star countif covar_pop covar_samp entropy favg first fsum
geomean geometric_mean group_concat grouping grouping_id histogram kahan_sum kurtosis kurtosis_pop
last list listagg mad max max_by mean median min min_by mode percentile_cont percentile_disc
product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2
regr_slope regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp string_agg sum
sum_no_overflow sumkahan var_pop var_samp variance wavg weighted_avg decimal_average
"""
_WINDOWS = """
cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank
rank_dense row_number
"""
_NESTED = """
unnest generate_series range generate_subscripts flatten cardinality array_length list_aggregate
list_aggr list_append list_apply list_avg list_cat list_concat list_contains list_count
list_distinct list_element list_any_value list_bool_and list_bool_or list_filter list_first
list_has list_has_all list_has_any list_indexof list_intersect list_last list_max list_median
list_min list_mode list_position list_prepend list_product list_reduce list_reverse list_select
list_stddev_pop list_stddev_samp list_var_pop list_var_samp list_where list_reverse_sort list_sort
list_string_agg list_sum list_transform list_unique list_zip array_aggregate array_append
array_prepend array_intersect array_zip array_apply array_cat array_concat array_contains
array_distinct array_filter array_has array_has_all array_has_any array_indexof array_position
array_reverse array_sort array_to_string array_to_string_comma_default array_transform
array_unique array_value apply transform array struct filter map map_contains map_entries
map_from_entries map_keys map_values struct_keys struct_values json_array_length json_contains
json_exists json_each json_extract json_extract_path json_extract_path_text json_extract_string
json_keys json_type json_valid json_value
"""

ALLOWED: frozenset[str] = frozenset(
    " ".join((_OPERATORS, _LOGIC, _NUMBERS, _TEXT, _DATES, _AGGREGATES, _WINDOWS, _NESTED)).split()
)

# What may stand in FROM.
TABLE_FUNCTIONS = frozenset("generate_series json_each range unnest".split())


def is_allowed(name: str) -> bool:
    """Whether SQL that nobody has read may call the function ``name``."""
    return name.lower() in ALLOWED
