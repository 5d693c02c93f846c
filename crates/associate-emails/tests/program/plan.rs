//! `plan` shows the changes that a file would make to queues that already have addresses.

use connect_simulator::{Connect, Fixture, Operation};

use crate::{Ran, run_on};

const FILE: &str = "queueName,emailAddressId\nBilling,e1\nBilling,e2\nBilling,missing\nFull,e1\nRepairs,e1\n";

fn queues_with_addresses() -> Connect {
    let mut fixture = Fixture::new().with_queue("i", "q1", "Billing").with_queue("i", "q2", "Full");
    for number in 0..60 {
        fixture = fixture.with_address("i", format!("e{number}"), format!("e{number}@brand.example"));
    }
    fixture = fixture.with_association("i", "q1", "e1").with_association("i", "q1", "e9");
    fixture =
        (10..59).fold(fixture, |fixture, number| fixture.with_association("i", "q2", format!("e{number}")));
    Connect::new(fixture)
}

async fn plan(connect: &Connect, options: &[&str]) -> Ran {
    run_on(connect, &[&["plan", "--instance", "i"], options].concat(), "pairs.csv", FILE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_shows_changes_and_makes_none() {
    let connect = queues_with_addresses();
    let before = connect.associations();
    let ran = plan(&connect, &["--unrequested"]).await;
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    // To add, already on the queue, does not fit, unknown, not in the file.
    for (queue, cells) in [("Billing", ["1", "1", "0", "1", "1"]), ("Full", ["0", "0", "1", "0", "49"])] {
        let row = ran.stdout.lines().find(|line| line.contains(queue)).unwrap();
        let found: Vec<&str> = row.split_whitespace().filter(|cell| cell.parse::<usize>().is_ok()).collect();
        assert_eq!(found, cells, "{}", ran.stdout);
    }
    assert_eq!(ran.rows(&["Billing", "e9"]), 1, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("1 to add, 1 already there, 3 would fail, 50 not in the file"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.last_line(), "This was a dry run: the queues were read, and nothing was changed.");
    assert_eq!(connect.associations(), before);
    assert!(connect.calls().iter().all(|call| call.operation != Operation::AssociateQueueEmailAddresses));
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_as_json_is_the_response_of_the_function() {
    let ran = plan(&queues_with_addresses(), &["--json"]).await;
    let report = ran.json();
    assert_eq!((&report["planned"], &report["failed"]), (&1.into(), &3.into()));
    assert_eq!(report["queues"][0]["unrequested"], 1);
    assert_eq!(report["queues"][0].get("unrequestedIds"), None);
}
