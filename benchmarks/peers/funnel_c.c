/* The reference funnel of reference_funnel.yaml in C: what a machine can do.
 *
 * Build: cc -O3 -march=native funnel_c.c -lm -o funnel_c. Run: funnel_c REPLICATIONS.
 * Prints: milliseconds a replication (processor time, median), leads, cold, live, events.
 *
 * A lead has one pending event at most, so events are chains through the leads, in buckets over
 * the whole time, each sorted. Arrivals are one number beside. A lead whose patience is over is
 * dropped when its turn comes. Lognormal times come from a table of quantiles.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LEADS = 1 << 16, PER_WEEK = 1024, WEEKS = 104, BUCKETS = WEEKS * PER_WEEK + 1, CELLS = 4096 };
enum { QUALIFIED, HANDED_OVER, DISCOVERED, BOUGHT_TIME, PROPOSED, CLEARED, ONBOARDED };
enum { SDR, AE, LEGAL, ONBOARDING, TEAMS };

static const int HEADS[TEAMS] = {12, 20, 3, 4};
static const int TEAM_OF[] = {SDR, -1, AE, -1, AE, LEGAL, ONBOARDING};
static const double MEAN[] = {.02, 0, .09, 0, .06, .055, .08};

typedef struct { double time, since, patience; int32_t next; uint8_t code, stage; uint16_t draws; } Lead;
typedef struct { int32_t ring[LEADS]; uint32_t head, tail; int idle; } Team;
typedef struct { long arrived, cold, live, events; } Counts;

static Lead leads[LEADS];
static Team teams[TEAMS];
static int32_t buckets[BUCKETS];
static int cursor;
static double quantile[CELLS + 1];
static uint64_t key;

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}
static double uniform(int i) {
    uint64_t bits = mix(key + ((uint64_t)i << 16 | leads[i].draws++) * 0x9E3779B97F4A7C15ull);
    return ((double)(bits >> 11) + .5) * 0x1p-53;
}
static double exponential(int i, double mean) { return -mean * log(uniform(i)); }

static double normal(double p) { /* by bisection: only to fill the table */
    double low = -9, high = 9;
    for (int k = 0; k < 60; k++) {
        double x = .5 * (low + high);
        if (.5 * erfc(-x * M_SQRT1_2) < p) low = x; else high = x;
    }
    return .5 * (low + high);
}
static double work(int i, int stage) {
    double place = uniform(i) * CELLS;
    int cell = (int)place;
    if (cell == 0 || cell == CELLS - 1) {
        double s2 = log(2.);
        return MEAN[stage] * exp(sqrt(s2) * normal(place / CELLS) - .5 * s2);
    }
    return MEAN[stage] * (quantile[cell] + (place - cell) * (quantile[cell + 1] - quantile[cell]));
}

static void push(int i, double time, int code) {
    if (time >= WEEKS) return;
    int bucket = (int)(time * PER_WEEK);
    if (bucket < cursor) cursor = bucket;
    leads[i].time = time;
    leads[i].code = (uint8_t)code;
    int32_t *at = &buckets[bucket];
    while (*at >= 0 && leads[*at].time <= time) at = &leads[*at].next;
    leads[i].next = *at;
    *at = i;
}
static void enter(int i, int stage, double now, Counts *n) {
    (void)n;
    Team *team = &teams[TEAM_OF[stage]];
    leads[i].since = now;
    if (team->idle > 0) {
        team->idle--;
        push(i, now + work(i, stage), stage);
        return;
    }
    leads[i].stage = (uint8_t)stage;
    leads[i].patience = stage == QUALIFIED ? now + exponential(i, 2.) : INFINITY;
    team->ring[team->tail++ % LEADS] = i;
}
static void serve(Team *team, double now, Counts *n) {
    team->idle++;
    while (team->head != team->tail) {
        int j = team->ring[team->head++ % LEADS];
        if (leads[j].patience < now) { n->cold++; n->events++; continue; }
        team->idle--;
        push(j, now + work(j, leads[j].stage), leads[j].stage);
        return;
    }
}

static Counts replicate(uint64_t seed) {
    Counts n = {0};
    key = mix(seed);
    cursor = 0;
    memset(buckets, 0xff, sizeof buckets);
    for (int m = 0; m < TEAMS; m++) teams[m].head = teams[m].tail = 0, teams[m].idle = HEADS[m];
    leads[0].draws = 0;
    double arrival = exponential(0, 1. / 500);
    for (;;) {
        while (cursor < BUCKETS && buckets[cursor] < 0) cursor++;
        double next = cursor < BUCKETS ? leads[buckets[cursor]].time : INFINITY;
        if (arrival <= next) {
            if (arrival > WEEKS) break;
            int i = (int)n.arrived++;
            if (n.arrived == LEADS) exit(1);
            double now = arrival;
            leads[n.arrived].draws = 0;
            arrival = now + exponential((int)n.arrived, 1. / 500);
            n.events++;
            enter(i, QUALIFIED, now, &n);
            continue;
        }
        int i = buckets[cursor];
        double now = leads[i].time;
        buckets[cursor] = leads[i].next;
        n.events++;
        int code = leads[i].code;
        if (TEAM_OF[code] >= 0) serve(&teams[TEAM_OF[code]], now, &n);
        switch (code) {
        case QUALIFIED:
            if (uniform(i) < .35) push(i, now + exponential(i, .4), HANDED_OVER);
            break;
        case HANDED_OVER: enter(i, DISCOVERED, now, &n); break;
        case DISCOVERED:
            push(i, now + exponential(i, 1.5) + exponential(i, 1.5), BOUGHT_TIME);
            break;
        case BOUGHT_TIME:
            if (uniform(i) < .55) enter(i, PROPOSED, now, &n);
            break;
        case PROPOSED:
            if (uniform(i) < .6) enter(i, CLEARED, now, &n);
            break;
        case CLEARED: {
            double u = uniform(i);
            if (u < .1) enter(i, PROPOSED, now, &n);
            else if (uniform(i) < .8) enter(i, ONBOARDED, now, &n);
            break;
        }
        case ONBOARDED: n.live++; break;
        }
    }
    return n;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
int main(int argc, char **argv) {
    int runs = argc > 1 ? atoi(argv[1]) : 5;
    double s2 = log(2.), took[1000];
    if (runs < 1 || runs > 1000) return 1;
    for (int c = 1; c < CELLS; c++)
        quantile[c] = exp(sqrt(s2) * normal((double)c / CELLS) - .5 * s2);
    Counts n = replicate(0);
    for (int r = 0; r < runs; r++) {
        clock_t start = clock();
        n = replicate((uint64_t)r + 1);
        took[r] = (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC;
    }
    qsort(took, (size_t)runs, sizeof *took, by_size);
    printf("%.4f %ld %ld %ld %ld\n", took[runs / 2], n.arrived, n.cold, n.live, n.events);
    return 0;
}
