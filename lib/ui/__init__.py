"""What pages share: cached resources, the sidebar's two choices, messages, downloads. Only here Streamlit is known."""
