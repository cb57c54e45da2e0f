using System.Globalization;

namespace Lifeboat.Samples;

/// <summary>How much of everything there is: about 40 KB for each conversation, over all stores.</summary>
public sealed record ChatSize(int Conversations)
{
    public const int MessagesEach = 16;

    public static ChatSize Tiny { get; } = new(25);

    public int Accounts => 5 + (Conversations / 20);

    public int Messages => Conversations * MessagesEach;

    public int Attachments => 5 + (Conversations / 4);

    public int Workflows => 5 + (Conversations / 10);

    public int Nodes => 50 + (Conversations * 4);

    public int Edges => Nodes * 2;

    public int Customers => 10 + (Conversations / 5);

    public int Products => 20 + (Conversations / 50);

    public int Orders => 30 + (Conversations * 3);

    public int Notes => 100 + (Conversations * 5);

    /// <summary>1 MB, 40 MB, 400 MB, 2 GB; or a number of conversations.</summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static ChatSize Parse(string text) => text switch
    {
        "tiny" => Tiny,
        "small" => new ChatSize(1_000),
        "medium" => new ChatSize(10_000),
        "large" => new ChatSize(50_000),
        _ => new ChatSize(int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)),
    };
}
